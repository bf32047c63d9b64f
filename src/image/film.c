/* film.c - decoding by stb_image behind checks of our own, orientation, grey, area resize, robust range. */
#include "image/film.h"

#include <stdlib.h>
#include <string.h>

/* stb_image's hooks know no file, and it gives no reason: while a thread decodes, both stand here. */
static _Thread_local size_t most_growth; /* what a PNG's data may grow to */
static _Thread_local int starved;        /* whether memory was lacking */
static void *noted(void *taken)
{
    if (!taken) starved = 1;
    return taken;
}
static void *grow(void *p, size_t size) { return size > most_growth ? NULL : noted(realloc(p, size)); }

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_SIMD /* the same bits on every machine */
#define STBI_NO_FAILURE_STRINGS
#define STBI_MAX_DIMENSIONS 16384                /* IMAGE_MAX_SIDE */
#define STBI_MALLOC(size) noted(calloc(1, size)) /* it reads tables and planes that a hostile file never fills */
#define STBI_REALLOC grow
#define STBI_FREE free
#define STBI_ASSERT(condition) ((void)0) /* a hostile file must not end the program */
#include <stb/stb_image.h>

#include "image/endian.h"
#include "image/jpeg.h"

/* Decodes a file that has passed its check; the caller frees the samples, which are 16-bit where the file's are. */
static pleura_status load(film_samples *out, const uint8_t *bytes, size_t size)
{
    film_samples s = {0};
    starved = 0;
    if (stbi_is_16_bit_from_memory(bytes, (int)size))
        s.values = stbi_load_16_from_memory(bytes, (int)size, &s.width, &s.height, &s.channels, 0);
    else s.bytes = stbi_load_from_memory(bytes, (int)size, &s.width, &s.height, &s.channels, 0);
    if (!s.values && !s.bytes) return starved ? PLEURA_MEMORY : PLEURA_IMAGE_DAMAGED;
    *out = s;
    return PLEURA_OK;
}

static void free_samples(film_samples *s) { free(s->values ? (void *)s->values : (void *)s->bytes); }

/* CRC-32 of PNG (ISO 3309), a nibble at a time. */
static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                       0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;
    for (; n; n--, p++) {
        crc = table[(crc ^ *p) & 15] ^ crc >> 4;
        crc = table[(crc ^ *p >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

/* Whether a colour type goes with so many bits (PNG specification, table 11.1): stb_image takes more. */
static int png_has(uint8_t colour, uint8_t bits)
{
    static const uint32_t depths[7] = {0x10116, 0, 0x10100, 0x116, 0x10100, 0, 0x10100}; /* bit n: n bits */
    return colour <= 6 && bits <= 16 && depths[colour] >> bits & 1;
}

/* Whether every pixel of a PNG is in its palette: stb_image shows what lay in memory before for one that is not. The
 * same file as grey gives the indices, where what makes colours transparent is renamed. transparent: place of tRNS, 0
 * for none. */
static pleura_status check_png_colours(const uint8_t *bytes, size_t size, uint32_t colours, size_t transparent)
{
    enum { DEPTH = 24, COLOUR = 25 };
    uint32_t step = 255u / ((1u << bytes[DEPTH]) - 1); /* between greys */
    film_samples s;
    uint8_t *grey = malloc(size);
    if (!grey) return PLEURA_MEMORY;
    memcpy(grey, bytes, size);
    grey[COLOUR] = 0;
    if (transparent) grey[transparent] = 'x';
    pleura_status status = load(&s, grey, size);
    free(grey);
    if (status) return status;
    size_t at = 0, count = (size_t)s.width * (size_t)s.height;
    while (at < count && s.bytes[at] < colours * step) at++;
    free_samples(&s);
    return at < count ? PLEURA_IMAGE_DAMAGED : PLEURA_OK;
}

/* Walks every chunk up to IEND (PNG specification, 5.3). */
static pleura_status check_png(const uint8_t *bytes, size_t size)
{
    size_t at = 8, transparent = 0;
    uint32_t colours = 0, most = 0;
    for (int first = 1;; first = 0) {
        if (size - at < 12) return PLEURA_IMAGE_DAMAGED;
        uint32_t length = be32(bytes + at);
        const uint8_t *type = bytes + at + 4;
        if (length > size - at - 12) return PLEURA_IMAGE_DAMAGED;
        if (crc32_of(type, (size_t)length + 4) != be32(type + 4 + length)) return PLEURA_IMAGE_DAMAGED;
        if (first) {
            if (memcmp(type, "IHDR", 4) != 0 || length != 13) return PLEURA_IMAGE_DAMAGED;
            uint32_t width = be32(type + 4), height = be32(type + 8);
            pleura_status status = image_check_size(width, height);
            if (status) return status;
            if (!png_has(type[13], type[12])) return PLEURA_IMAGE_DAMAGED;
            most = type[13] == 3 ? 1u << type[12] : 0;
            /* The file, and rows of four samples of 16 bits, each behind a filter's byte; twice, as stb_image doubles.
             * A bomb holds more than its film needs. */
            most_growth = 4096 + 2 * (size + ((size_t)width * 8 + 1) * height);
        }
        int palette = memcmp(type, "PLTE", 4) == 0, alpha = memcmp(type, "tRNS", 4) == 0;
        if ((palette && colours) || (alpha && transparent)) return PLEURA_IMAGE_DAMAGED; /* one of each (5.6) */
        if (palette) colours = length / 3;
        if (alpha) transparent = at + 4;
        if (memcmp(type, "IEND", 4) == 0)
            return colours < most ? check_png_colours(bytes, size, colours, transparent) : PLEURA_OK;
        at += (size_t)length + 12;
    }
}

/* Whether every pixel is in the palette: stb_image shows what lay in memory before for one that is not. */
static int bmp_has_colours(const uint8_t *rows, size_t row, int64_t width, int64_t height, uint32_t bits,
                           uint32_t colours)
{
    if (colours >> bits) return 1;
    for (int64_t y = 0; y < height; y++, rows += row)
        for (int64_t x = 0; x < width; x++) {
            uint32_t shift = 8 - bits - (uint32_t)x * bits % 8;
            if ((rows[x * bits / 8] >> shift & ((1u << bits) - 1)) >= colours) return 0;
        }
    return 1;
}

/* Whether stb_image reads a channel with this mask: up to 8 bits, side by side. */
static int bmp_mask(uint32_t mask)
{
    while (mask && !(mask & 1)) mask >>= 1;
    return mask && mask < 256 && !(mask & (mask + 1));
}

/* What follows the headers: a palette, masks, or the pixels at once. */
static pleura_status check_bmp_colours(const uint8_t *bytes, uint32_t header, uint32_t bits, uint32_t coding,
                                       int64_t width, int64_t height)
{
    uint32_t offset = le32(bytes + 10), masks = coding == 3 && header == 40 ? 12 : 0, start = 14 + header + masks;
    if (offset < start) return PLEURA_IMAGE_DAMAGED;
    if (header == 12 && bits < 16)
        return PLEURA_IMAGE_UNSUPPORTED; /* stb_image 2.27 takes four colours off its palette */
    if (bits >= 16) {
        if (offset != start) return PLEURA_IMAGE_UNSUPPORTED; /* a palette that is but advice */
        for (uint32_t i = 0; coding == 3 && i < 3; i++)
            if (!bmp_mask(le32(bytes + 54 + 4 * i))) return PLEURA_IMAGE_UNSUPPORTED;
        return PLEURA_OK;
    }
    size_t row = ((size_t)width * bits + 31) / 32 * 4;
    uint32_t colours = (offset - start) / 4;
    return bmp_has_colours(bytes + offset, row, width, height, bits, colours) ? PLEURA_OK : PLEURA_IMAGE_DAMAGED;
}

static pleura_status check_bmp(const uint8_t *bytes, size_t size)
{
    if (size < 26) return PLEURA_IMAGE_DAMAGED;
    uint32_t header = le32(bytes + 14);
    int core = header == 12; /* BITMAPCOREHEADER */
    if (!core && size < 54) return PLEURA_IMAGE_DAMAGED;
    int64_t width = core ? (int64_t)le16(bytes + 18) : (int32_t)le32(bytes + 18);
    int64_t height = core ? (int64_t)le16(bytes + 20) : (int32_t)le32(bytes + 22);
    uint32_t bits = le16(bytes + (core ? 24 : 28)), coding = core ? 0 : le32(bytes + 30);
    if (height < 0) height = -height; /* top row first */
    pleura_status status = image_check_size(width, height);
    if (status) return status;
    int known = core || header == 40 || header == 56 || header == 108 || header == 124; /* others: OS/2 2 and rarer */
    int deep = bits == 16 || bits == 24 || bits == 32,
        masked = coding == 3 && (bits == 16 || bits == 32) && header != 56;
    /* Not run lengths, nor 2 bits, nor masks within a header of 56 bytes: stb_image looks for them behind it. */
    if (!known || (coding != 0 && !masked) || (!deep && bits != 1 && bits != 4 && bits != 8))
        return PLEURA_IMAGE_UNSUPPORTED;
    uint64_t row = ((uint64_t)width * bits + 31) / 32 * 4;
    if (size < 14 + header + 12 || le32(bytes + 10) + row * (uint64_t)height > size) return PLEURA_IMAGE_DAMAGED;
    return check_bmp_colours(bytes, header, bits, coding, width, height);
}

static pleura_status check_jpeg(int *orientation, const uint8_t *bytes, size_t size)
{
    jpeg_header h;
    pleura_status status = jpeg_check(&h, bytes, size);
    if (status) return status;
    *orientation = h.orientation;
    return h.process > 2 || h.bits != 8 ? PLEURA_IMAGE_UNSUPPORTED : PLEURA_OK; /* lossless, arithmetic, 12 bits */
}

static pleura_status check_file(int *orientation, const uint8_t *bytes, size_t size)
{
    *orientation = 1;
    if (size == 0) return PLEURA_EMPTY;
    if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) return check_png(bytes, size);
    if (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) return check_jpeg(orientation, bytes, size);
    if (size >= 2 && memcmp(bytes, "BM", 2) == 0) return check_bmp(bytes, size);
    return PLEURA_NOT_IMAGE;
}

static pleura_status film_new(film *f, int width, int height)
{
    uint16_t *pixels = malloc((size_t)width * (size_t)height * sizeof *pixels);
    if (!pixels) return PLEURA_MEMORY;
    *f = (film){pixels, width, height, 0};
    return PLEURA_OK;
}

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t most(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* Grey of one pixel, 0..65535, with the luma weights of ITU-R BT.601 in 1/256; adds its chroma to *sum. */
static uint16_t grey(uint32_t r, uint32_t g, uint32_t b, uint64_t *sum)
{
    *sum += most(r, most(g, b)) - least(r, least(g, b));
    return (uint16_t)((77 * r + 150 * g + 29 * b) >> 8);
}

/* Fills the pixels of f from its samples. */
static void to_grey(film *f, const film_samples *s)
{
    size_t count = (size_t)f->width * (size_t)f->height;
    uint64_t chroma = 0;
    for (size_t i = 0, at = 0; i < count; i++, at += (size_t)s->channels) {
        uint32_t c[3];
        for (size_t j = 0; j < 3; j++) {
            size_t from = at + (s->channels < 3 ? 0 : j);
            c[j] = s->values ? s->values[from] : s->bytes[from] * 257u;
            if (s->table) c[j] = s->table[c[j]];
        }
        f->pixels[i] = s->channels < 3 ? (uint16_t)c[0] : grey(c[0], c[1], c[2], &chroma);
    }
    f->chroma = (float)((double)chroma / 65535.0 / (double)count);
}

pleura_status film_from_samples(film *out, const film_samples *s)
{
    film f;
    if (s->channels < 1 || s->channels > 4) return PLEURA_IMAGE_UNSUPPORTED;
    pleura_status status = image_check_size(s->width, s->height);
    if (!status) status = film_new(&f, s->width, s->height);
    if (status) return status;
    to_grey(&f, s);
    *out = f;
    return PLEURA_OK;
}

/* Turns f so that it is upright; orientation as in EXIF, 2..8. */
static pleura_status turn(film *f, int orientation)
{
    int w = f->width, h = f->height, swap = orientation >= 5;
    film to;
    pleura_status status = film_new(&to, swap ? h : w, swap ? w : h);
    if (status) return status;
    int right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    int bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    for (int y = 0; y < to.height; y++)
        for (int x = 0; x < to.width; x++) {
            int sx = swap ? y : x, sy = swap ? x : y;
            if (right) sx = w - 1 - sx;
            if (bottom) sy = h - 1 - sy;
            to.pixels[(size_t)y * (size_t)to.width + (size_t)x] = f->pixels[(size_t)sy * (size_t)w + (size_t)sx];
        }
    to.chroma = f->chroma;
    film_free(f);
    *f = to;
    return PLEURA_OK;
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
    status = film_from_samples(&f, &s); /* checks stb_image's own reading of the size as well */
    free_samples(&s);
    if (!status && orientation > 1) status = turn(&f, orientation);
    if (status) film_free(&f);
    else *out = f;
    return status;
}

/* Decodes the processes that stb_image knows: 8 bits, sequential or progressive. */
static pleura_status decode_bytes(uint16_t *values, const jpeg_header *h, const uint8_t *bytes, size_t size)
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
    if (h.process <= 2 && h.bits == 8) status = decode_bytes(values, &h, bytes, size);
    else status = jpeg_decode(values, &h, bytes, size);
    if (status) {
        free(values);
        return status;
    }
    *out = (film_samples){.values = values, .width = h.width, .height = h.height, .channels = h.channels};
    *bits = h.bits;
    return PLEURA_OK;
}

void film_free(film *f)
{
    free(f->pixels);
    *f = (film){0};
}

/* out[ow] += weight * the sum of the row over each of ow equal spans of x0..x1. */
static void add_row(float *out, int ow, const uint16_t *row, double x0, double x1, float weight)
{
    double step = (x1 - x0) / ow;
    for (int x = 0; x < ow; x++) {
        double from = x0 + x * step, to = x + 1 < ow ? from + step : x1; /* no rounding past the film */
        int first = (int)from, last = (int)to;
        if (last == to && last > first) last--;
        float sum = row[first] * (float)((first + 1 < to ? first + 1 : to) - from);
        for (int i = first + 1; i < last; i++) sum += row[i];
        if (last > first) sum += row[last] * (float)(to - last);
        out[x] += weight * sum;
    }
}

void film_resample(float *out, int ow, int oh, const film *f, double x0, double y0, double x1, double y1)
{
    double step = (y1 - y0) / oh, area = step * (x1 - x0) / ow;
    memset(out, 0, (size_t)ow * (size_t)oh * sizeof *out);
    for (int y = 0; y < oh; y++, out += ow) {
        double from = y0 + y * step, to = y + 1 < oh ? from + step : y1;
        for (int i = (int)from; i < to; i++) {
            double top = i > from ? i : from, bottom = i + 1 < to ? i + 1 : to;
            add_row(out, ow, f->pixels + (size_t)i * (size_t)f->width, x0, x1, (float)((bottom - top) / area));
        }
    }
}

void robust_range(float *low, float *high, const float *values, size_t count)
{
    enum { BINS = 4096 };
    uint32_t bins[BINS] = {0};
    float min = values[0], max = values[0];
    for (size_t i = 1; i < count; i++) {
        if (values[i] < min) min = values[i];
        if (values[i] > max) max = values[i];
    }
    *low = min, *high = max;
    if (max <= min) return;
    float scale = (BINS - 1) / (max - min);
    for (size_t i = 0; i < count; i++) bins[(int)((values[i] - min) * scale)]++;
    size_t tail = count / 100, seen = 0;
    int bin = 0;
    while (seen + bins[bin] <= tail) seen += bins[bin++];
    *low = min + (float)bin / scale;
    for (bin = BINS - 1, seen = 0; seen + bins[bin] <= tail;) seen += bins[bin--];
    *high = min + (float)(bin + 1) / scale;
}

int film_input(float *out, int side, const film *f)
{
    size_t count = (size_t)side * (size_t)side;
    float low, high;
    film_resample(out, side, side, f, 0, 0, f->width, f->height);
    robust_range(&low, &high, out, count);
    int seen = high - low >= FILM_BLANK_RANGE;
    for (size_t i = 0; i < count; i++) {
        float v = seen ? 2 * (out[i] - low) / (high - low) - 1 : 0;
        out[i] = v < -1 ? -1 : v > 1 ? 1 : v;
    }
    return seen;
}
