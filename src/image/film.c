/* film.c - one upright grey plane per film, and what networks need of it.
 *
 * Colour is converted by luma weights; how much colour there was is kept as `chroma`, because a chest film has none. A
 * film is shrunk by area averaging: every output value is the mean over exactly its rectangle of the film, with
 * fractions of the pixels on its border, so nothing is skipped and nothing counts twice. Contrast is measured between
 * percentiles, because burnt-in letters and borders are often the darkest and brightest pixels. */
#include "image/film.h"

#include <stdlib.h>
#include <string.h>

static pleura_status film_new(film *f, int width, int height)
{
    uint16_t *pixels = malloc((size_t)width * (size_t)height * sizeof *pixels);
    if (!pixels) return PLEURA_MEMORY;
    *f = (film){pixels, width, height, 0};
    return PLEURA_OK;
}

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t max(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* Returns the grey level of one pixel, 0..65535, by the luma weights of ITU-R BT.601 in 1/256. Adds its chroma to
 * *chroma. */
static uint16_t luma(uint32_t r, uint32_t g, uint32_t b, uint64_t *chroma)
{
    *chroma += max(r, max(g, b)) - min(r, min(g, b));
    return (uint16_t)((77 * r + 150 * g + 29 * b) >> 8);
}

/* The first channel of each pixel is its grey level. */
static void copy_grey(uint16_t *out, size_t count, const film_samples *s)
{
    size_t apart = (size_t)s->channels;
    if (s->values && s->table)
        for (size_t i = 0; i < count; i++) out[i] = s->table[s->values[i * apart]];
    else if (s->values)
        for (size_t i = 0; i < count; i++) out[i] = s->values[i * apart];
    else
        for (size_t i = 0; i < count; i++) out[i] = (uint16_t)(s->bytes[i * apart] * 257u);
}

/* Fills the pixels of f from its samples. */
static void to_grey(film *f, const film_samples *s)
{
    size_t count = (size_t)f->width * (size_t)f->height;
    uint64_t chroma = 0;
    if (s->channels < 3) copy_grey(f->pixels, count, s);
    else
        for (size_t i = 0, at = 0; i < count; i++, at += (size_t)s->channels) {
            uint32_t c[3];
            for (size_t j = 0; j < 3; j++) {
                c[j] = s->values ? s->values[at + j] : s->bytes[at + j] * 257u;
                if (s->table) c[j] = s->table[c[j]];
            }
            f->pixels[i] = luma(c[0], c[1], c[2], &chroma);
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

pleura_status film_turn(film *f, int orientation)
{
    /* Whether columns are stored as rows, from the right or from the bottom (EXIF 2.3, tag 0x0112). */
    int swap = orientation >= 5;
    int right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    int bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    int w = f->width, h = f->height;
    film upright;
    pleura_status status = film_new(&upright, swap ? h : w, swap ? w : h);
    if (status) return status;
    uint16_t *out = upright.pixels;
    for (int y = 0; y < upright.height; y++)
        for (int x = 0; x < upright.width; x++) {
            int sx = swap ? y : x, sy = swap ? x : y;
            if (right) sx = w - 1 - sx;
            if (bottom) sy = h - 1 - sy;
            *out++ = f->pixels[(size_t)sy * (size_t)w + (size_t)sx];
        }
    upright.chroma = f->chroma;
    film_free(f);
    *f = upright;
    return PLEURA_OK;
}

void film_free(film *f)
{
    free(f->pixels);
    *f = (film){0};
}

/* The columns that one output value sums: all of those between the first and the last, and parts of these two. */
typedef struct {
    int first, last;
    float of_first, of_last;
} span;

/* Number x of `width` equal spans from x0 to x1. */
static span span_at(int x, int width, double x0, double x1)
{
    double step = (x1 - x0) / width, from = x0 + x * step,
           to = x + 1 < width ? from + step : x1; /* never past the end */
    int first = (int)from, last = (int)to;
    if (last == to && last > first) last--;
    return (span){first, last, (float)((first + 1 < to ? first + 1 : to) - from), (float)(to - last)};
}

/* out[count] += weight * the sum of the row over each span. */
static void add_row(float *out, int count, const uint16_t *row, const span *spans, float weight)
{
    for (int x = 0; x < count; x++) {
        const span *s = spans + x;
        float sum = row[s->first] * s->of_first;
        for (int i = s->first + 1; i < s->last; i++) sum += row[i];
        if (s->last > s->first) sum += row[s->last] * s->of_last;
        out[x] += weight * sum;
    }
}

void film_resample(float *out, int width, int height, const film *f, const film_rect *part)
{
    enum { COLUMNS = 256 }; /* that go through all rows together */
    film_rect whole = {0, 0, f->width, f->height};
    if (!part) part = &whole;
    double step = (part->y1 - part->y0) / height, area = step * (part->x1 - part->x0) / width;
    memset(out, 0, (size_t)width * (size_t)height * sizeof *out);
    for (int x = 0; x < width; x += COLUMNS, out += COLUMNS) {
        span spans[COLUMNS];
        int count = width - x < COLUMNS ? width - x : COLUMNS;
        for (int i = 0; i < count; i++) spans[i] = span_at(x + i, width, part->x0, part->x1);
        for (int y = 0; y < height; y++) {
            double from = part->y0 + y * step, to = y + 1 < height ? from + step : part->y1;
            for (int i = (int)from; i < to; i++) {
                double top = i > from ? i : from, bottom = i + 1 < to ? i + 1 : to;
                add_row(out + (size_t)y * (size_t)width, count, f->pixels + (size_t)i * (size_t)f->width, spans,
                        (float)((bottom - top) / area));
            }
        }
    }
}

void robust_range(float *low, float *high, const float *values, size_t count)
{
    enum { BINS = 4096 };
    uint32_t bins[BINS] = {0};
    float smallest = values[0], largest = values[0];
    for (size_t i = 1; i < count; i++) {
        if (values[i] < smallest) smallest = values[i];
        if (values[i] > largest) largest = values[i];
    }
    *low = smallest, *high = largest;
    if (largest <= smallest) return;
    float scale = (BINS - 1) / (largest - smallest);
    for (size_t i = 0; i < count; i++) bins[(int)((values[i] - smallest) * scale)]++;
    size_t tail = count / 100, below = 0, above = 0;
    int bin = 0;
    while (below + bins[bin] <= tail) below += bins[bin++];
    *low = smallest + (float)bin / scale;
    for (bin = BINS - 1; above + bins[bin] <= tail;) above += bins[bin--];
    *high = smallest + (float)(bin + 1) / scale;
}

int film_input(float *out, int side, const film *f)
{
    size_t count = (size_t)side * (size_t)side;
    float low, high;
    film_resample(out, side, side, f, NULL);
    robust_range(&low, &high, out, count);
    int blank = high - low < FILM_BLANK_RANGE;
    for (size_t i = 0; i < count; i++) {
        float v = blank ? 0 : 2 * (out[i] - low) / (high - low) - 1;
        out[i] = v < -1 ? -1 : v > 1 ? 1 : v;
    }
    return !blank;
}
