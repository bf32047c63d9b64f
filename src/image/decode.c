/* decode.c - decodes image files: our checks first, then stb_image.
 *
 * stb_image is small and fast, but it trusts its input: it fills missing data with grey, reads uninitialised memory for
 * some damaged files, ignores checksums and can be made to allocate gigabytes. A wrong picture is worse here than none,
 * so our own code (png.c, jpeg.c) walks the structure of each file before stb_image sees it, and the hooks below bound its
 * memory, clear its buffers and keep it from ending the program. BMP files are decoded by bmp.c. */
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
#include "image/exif.h"
#include "image/jpeg.h"
#include "image/jpeg_bits.h"
#include "image/jpeg_repair.h"
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

/* A file that has passed its check, as stb_image shall see it. */
typedef struct {
    const uint8_t *bytes;
    size_t size;
    uint8_t *copy;   /* owns the bytes if they are not those of the caller; otherwise NULL */
    int orientation; /* EXIF, 1..8 */
} source;

/* Returns 0 if there is no memory. */
static int copy_bytes(source *s)
{
    if (s->copy) return 1;
    s->copy = malloc(s->size);
    if (s->copy) s->bytes = memcpy(s->copy, s->bytes, s->size);
    return s->copy != NULL;
}

/* Checks that every pixel of a palette PNG is in its palette, by decoding a copy that shows the indices. */
static pleura_status check_palette(const source *from, const png_header *h)
{
    film_samples s;
    source indices = {.bytes = from->bytes, .size = from->size};
    if (!copy_bytes(&indices)) return PLEURA_MEMORY;
    png_show_indices(indices.copy);
    pleura_status status = load(&s, indices.bytes, indices.size);
    free(indices.copy);
    if (status) return status;
    int sound = png_has_colours(h, s.bytes, (size_t)s.width * (size_t)s.height);
    free_samples(&s);
    return sound ? PLEURA_OK : PLEURA_IMAGE_DAMAGED;
}

/* The orientation in a text chunk. Only the front of a long one is unpacked. */
static int profile_orientation(const png_header *h)
{
    enum { FRONT = 32768 };
    const uint8_t *text;
    size_t size;
    if (!png_profile_text(&text, &size, h)) return exif_profile_orientation(text, size);
    uint8_t *front = calloc(1, FRONT);
    if (!front) return 1;
    stbi_zlib_decode_buffer((char *)front, FRONT, (const char *)text, (int)size);
    int orientation = exif_profile_orientation(front, FRONT); /* zeros follow the text and end it */
    free(front);
    return orientation;
}

static pleura_status check_png(source *s)
{
    png_header h;
    pleura_status status = png_check(&h, s->bytes, s->size);
    if (status) return status;
    max_growth = h.max_growth;
    s->orientation = h.orientation ? h.orientation : h.profile ? profile_orientation(&h) : 1;
    if (h.has_transparency) {
        if (!copy_bytes(s)) return PLEURA_MEMORY;
        png_hide_transparency(s->copy, s->size);
    }
    return h.colours < h.indices ? check_palette(s, &h) : PLEURA_OK;
}

/* Checks a JPEG. Where it is damaged, checks it again without what libjpeg forgives. */
static pleura_status check_jpeg(jpeg_header *h, source *s)
{
    pleura_status status = jpeg_check(h, s->bytes, s->size);
    if (status != PLEURA_IMAGE_DAMAGED) return status;
    uint8_t *copy = malloc(s->size + JPEG_REPAIR_GROWTH);
    if (!copy) return PLEURA_MEMORY;
    size_t size = jpeg_repair(copy, s->bytes, s->size);
    if (size) status = jpeg_check(h, copy, size);
    if (!size || status) free(copy);
    else s->bytes = s->copy = copy, s->size = size;
    return status;
}

/* Returns 1 for what stb_image decodes: baseline, extended sequential and progressive; 8 bits; grey, colour, CMYK. */
static int is_common(const jpeg_header *h)
{
    return h->process <= 2 && h->bits == 8 && (h->channels == 1 || h->channels == 3 || h->channels == 4);
}

/* Why an image file may not hold a sound JPEG that is not common. */
static pleura_status uncommon(const jpeg_header *h)
{
    if (h->process > JPG - SOF0) return PLEURA_JPEG_ARITHMETIC;
    return h->process == SOF3 - SOF0 || h->bits != 8 ? PLEURA_JPEG_DEPTH : PLEURA_IMAGE_UNSUPPORTED;
}

/* Decodes what check_png or check_jpeg has let pass. */
static pleura_status load_checked(film_samples *out, source *s)
{
    jpeg_header jpeg;
    int is_png = s->bytes[0] == 0x89;
    pleura_status status = is_png ? check_png(s) : check_jpeg(&jpeg, s);
    if (!status && !is_png) s->orientation = jpeg.orientation;
    if (!status && !is_png && !is_common(&jpeg)) status = uncommon(&jpeg);
    if (!status) status = load(out, s->bytes, s->size);
    free(s->copy);
    return status;
}

/* Recognises a file by its first bytes and decodes it. The caller frees the samples. */
static pleura_status decode(film_samples *out, int *orientation, const uint8_t *bytes, size_t size)
{
    source s = {.bytes = bytes, .size = size, .orientation = 1};
    if (size == 0) return PLEURA_EMPTY;
    if (size > INT32_MAX) return PLEURA_IMAGE_TOO_LARGE;
    int is_png = size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
    if (is_png || (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)) {
        pleura_status status = load_checked(out, &s);
        *orientation = s.orientation;
        return status;
    }
    *orientation = 1;
    return size >= 2 && memcmp(bytes, "BM", 2) == 0 ? bmp_decode(out, bytes, size) : PLEURA_NOT_IMAGE;
}

pleura_status film_decode(film *out, const uint8_t *bytes, size_t size)
{
    int orientation;
    film_samples s;
    film f = {0};
    pleura_status status = decode(&s, &orientation, bytes, size);
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
    source s = {.bytes = bytes, .size = size};
    uint16_t *values = NULL;
    if (size > INT32_MAX) return PLEURA_IMAGE_TOO_LARGE;
    pleura_status status = check_jpeg(&h, &s);
    if (!status && h.channels != 1 && h.channels != 3) status = PLEURA_IMAGE_UNSUPPORTED;
    if (!status && !(values = calloc((size_t)h.width * (size_t)h.height, (size_t)h.channels * sizeof *values)))
        status = PLEURA_MEMORY;
    if (!status)
        status = is_common(&h) ? decode_common(values, &h, s.bytes, s.size) : jpeg_decode(values, &h, s.bytes, s.size);
    free(s.copy);
    if (status) {
        free(values);
        return status;
    }
    *out = (film_samples){.values = values, .width = h.width, .height = h.height, .channels = h.channels};
    *bits = h.bits;
    return PLEURA_OK;
}
