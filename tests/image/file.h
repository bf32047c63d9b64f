/* file.h - image files in memory for the C tests of decoders, and what every format must withstand: each prefix and
 * each changed byte. The files show one gradient. */
#ifndef TESTS_IMAGE_FILE_H
#define TESTS_IMAGE_FILE_H

#include <assert.h>
#include <math.h>
#include <string.h>

#include "image/film.h"
#include "../support/read_file.h"

/* Makes AddressSanitizer fill fresh memory of any size with something other than zeros. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "max_malloc_fill_size=1000000000"; }

typedef struct {
    uint8_t *bytes;
    size_t size;
} file;

/* A callback for stb_image_write: appends bytes to the file in `context`. */
static inline void append(void *context, void *data, int size)
{
    file *f = context;
    f->bytes = realloc(f->bytes, f->size + (size_t)size);
    memcpy(f->bytes + f->size, data, (size_t)size);
    f->size += (size_t)size;
}

static inline file open_file(const char *path)
{
    file f;
    f.bytes = read_file(path, &f.size);
    return f;
}

enum { W = 96, H = 80 };
/* The gradient in 8 bits. */
static inline uint8_t sample(int x, int y) { return (uint8_t)(2 * x + y * 3 / 4); }

/* Decodes a copy of the exact size, so that AddressSanitizer sees reads past the end. */
static inline pleura_status decode_copy(film *out, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    pleura_status status = film_decode(out, copy, size);
    free(copy);
    return status;
}

/* The next offset to try: every one in the headers, every 37th behind them. */
static inline size_t after(size_t i) { return i < 1024 ? i + 1 : i + 37; }

static inline void every_prefix_is_refused(const file *f)
{
    film out = {0};
    for (size_t n = 0; n < f->size; n = after(n)) {
        pleura_status status = decode_copy(&out, f->bytes, n);
        assert(status == PLEURA_EMPTY || status == PLEURA_NOT_IMAGE || status == PLEURA_IMAGE_DAMAGED);
        assert(!out.pixels);
    }
}

/* Sets each byte in turn to a hostile value. The file may be refused or decoded, but must give the same twice. */
static inline void changed_bytes_do_no_harm(const file *f)
{
    static const uint8_t hostile[] = {0, 0x7f, 0xff};
    for (size_t i = 0; i < f->size; i = after(i)) {
        uint8_t right = f->bytes[i];
        f->bytes[i] = hostile[i % sizeof hostile] ^ (uint8_t)(i >> 3 & 1);
        film out = {0}, again = {0};
        pleura_status status = decode_copy(&out, f->bytes, f->size);
        assert(decode_copy(&again, f->bytes, f->size) == status);
        assert(status || memcmp(out.pixels, again.pixels, (size_t)out.width * (size_t)out.height * 2) == 0);
        film_free(&out), film_free(&again);
        f->bytes[i] = right;
    }
}

/* Returns the largest difference of a decoded pixel from the gradient, in 8-bit levels. */
static inline double worst_pixel(const file *f)
{
    film out;
    double worst = 0;
    assert(decode_copy(&out, f->bytes, f->size) == PLEURA_OK && out.width == W && out.height == H);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) worst = fmax(worst, fabs(out.pixels[y * W + x] / 257.0 - sample(x, y)));
    film_free(&out);
    return worst;
}

#endif
