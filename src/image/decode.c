/* decode.c - decodes image files: our checks first, then stb_image.
 *
 * stb_image is small and fast, but it trusts its input: it fills missing data with grey, reads uninitialised memory for
 * some damaged files, ignores checksums and can be made to allocate gigabytes. A wrong picture is worse here than none,
 * so our own code (png.c, bmp.c, jpeg.c) walks the structure of each file before stb_image sees it, and the hooks below
 * bound its memory, clear its buffers and keep it from ending the program. */
#include <stdlib.h>
#include <string.h>

#include "image/film.h"

/* stb_image's hooks get no context, and it reports no reason for a failure. These two variables of the thread connect
 * the hooks with the file that is being decoded. */
static _Thread_local size_t max_growth; /* no buffer grows past this while a PNG is unpacked */
static _Thread_local int out_of_memory; /* set when an allocation fails */
static void *note_failure(void *allocated)
{
    if (!allocated) out_of_memory = 1;
    return allocated;
}
static void *grow(void *p, size_t size) { return size > max_growth ? NULL : note_failure(realloc(p, size)); }

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_SIMD /* the same bits on every machine */
#define STBI_NO_FAILURE_STRINGS
#define STBI_MAX_DIMENSIONS IMAGE_MAX_SIDE
#define STBI_MALLOC(size) note_failure(calloc(1, size)) /* cleared: a hostile file never fills some tables */
#define STBI_REALLOC grow
#define STBI_FREE free
#define STBI_ASSERT(condition) ((void)0) /* a hostile file must not end the program */
#include <stb/stb_image.h>

#include "image/bmp.h"
#include "image/jpeg.h"
#include "image/png.h"

/* Decodes a file that has passed its check. The caller frees the samples; they are 16-bit where the file's are. */
static pleura_status load(film_samples *out, const uint8_t *bytes, size_t size)
{
    film_samples s = {0};
    out_of_memory = 0;
    if (stbi_is_16_bit_from_memory(bytes, (int)size))
        s.values = stbi_load_16_from_memory(bytes, (int)size, &s.width, &s.height, &s.channels, 0);
    else s.bytes = stbi_load_from_memory(bytes, (int)size, &s.width, &s.height, &s.channels, 0);
    if (!s.values && !s.bytes) return out_of_memory ? PLEURA_MEMORY : PLEURA_IMAGE_DAMAGED;
    *out = s;
    return PLEURA_OK;
}

static void free_samples(film_samples *s) { free(s->values ? (void *)s->values : (void *)s->bytes); }

/* Checks that every pixel of a palette PNG is in its palette, by decoding a copy that shows the indices. */
static pleura_status check_palette(const uint8_t *bytes, size_t size, const png_header *h)
{
    film_samples s;
    uint8_t *copy = malloc(size);
    if (!copy) return PLEURA_MEMORY;
    memcpy(copy, bytes, size);
    png_show_indices(copy, h);
    pleura_status status = load(&s, copy, size);
    free(copy);
    if (status) return status;
    int sound = png_has_colours(h, s.bytes, (size_t)s.width * (size_t)s.height);
    free_samples(&s);
    return sound ? PLEURA_OK : PLEURA_IMAGE_DAMAGED;
}

static pleura_status check_png(const uint8_t *bytes, size_t size)
{
    png_header h;
    pleura_status status = png_check(&h, bytes, size);
    if (status) return status;
    max_growth = h.max_growth;
    return h.colours < h.indices ? check_palette(bytes, size, &h) : PLEURA_OK;
}

/* Returns 1 for what stb_image decodes: baseline, extended sequential and progressive, 8 bits. */
static int is_common(const jpeg_header *h) { return h->process <= 2 && h->bits == 8; }

static pleura_status check_jpeg(int *orientation, const uint8_t *bytes, size_t size)
{
    jpeg_header h;
    pleura_status status = jpeg_check(&h, bytes, size);
    if (status) return status;
    *orientation = h.orientation;
    return is_common(&h) ? PLEURA_OK : PLEURA_IMAGE_UNSUPPORTED;
}

/* Recognises a file by its first bytes and checks its structure. */
static pleura_status check_file(int *orientation, const uint8_t *bytes, size_t size)
{
    *orientation = 1;
    if (size == 0) return PLEURA_EMPTY;
    if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) return check_png(bytes, size);
    if (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) return check_jpeg(orientation, bytes, size);
    if (size >= 2 && memcmp(bytes, "BM", 2) == 0) return bmp_check(bytes, size);
    return PLEURA_NOT_IMAGE;
}

pleura_status film_decode(film *out, const uint8_t *bytes, size_t size)
{
    int orientation;
    film_samples s;
    film f = {0};
    if (size > INT32_MAX) return PLEURA_IMAGE_TOO_LARGE;
    pleura_status status = check_file(&orientation, bytes, size);
    if (!status) status = load(&s, bytes, size);
    if (status) return status;
    status = film_from_samples(&f, &s); /* which checks the size again, as stb_image has read it */
    free_samples(&s);
    if (!status && orientation > 1) status = film_turn(&f, orientation);
    if (status) film_free(&f);
    else *out = f;
    return status;
}

/* Decodes a JPEG of 8 bits by stb_image, whose reading of the header must agree with ours. */
static pleura_status decode_common(uint16_t *values, const jpeg_header *h, const uint8_t *bytes, size_t size)
{
    film_samples s;
    pleura_status status = load(&s, bytes, size);
    if (status) return status;
    int same = s.bytes && s.width == h->width && s.height == h->height && s.channels == h->channels;
    size_t count = (size_t)h->width * (size_t)h->height * (size_t)h->channels;
    for (size_t i = 0; same && i < count; i++) values[i] = s.bytes[i];
    free_samples(&s);
    return same ? PLEURA_OK : PLEURA_IMAGE_DAMAGED;
}

pleura_status samples_from_jpeg(film_samples *out, int *bits, const uint8_t *bytes, size_t size)
{
    jpeg_header h;
    pleura_status status = jpeg_check(&h, bytes, size);
    if (status) return status;
    if (size > INT32_MAX) return PLEURA_IMAGE_TOO_LARGE;
    if (h.channels != 1 && h.channels != 3) return PLEURA_IMAGE_UNSUPPORTED;
    uint16_t *values = calloc((size_t)h.width * (size_t)h.height, (size_t)h.channels * sizeof *values);
    if (!values) return PLEURA_MEMORY;
    if (is_common(&h)) status = decode_common(values, &h, bytes, size);
    else status = jpeg_decode(values, &h, bytes, size);
    if (status) {
        free(values);
        return status;
    }
    *out = (film_samples){.values = values, .width = h.width, .height = h.height, .channels = h.channels};
    *bits = h.bits;
    return PLEURA_OK;
}
