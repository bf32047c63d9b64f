/* film.c - the film: samples to one upright grey plane, and that plane to a network's input. */
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

pleura_status film_turn(film *f, int orientation)
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
