/* int8_simd.c - the byte layers of int8_ref.c on 128-bit vectors: wasm_simd128, natively through SIMDe. */
#ifdef __wasm_simd128__
/* clang-format off: nested loops over one index space share an indentation */
#include <wasm_simd128.h>
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>
#endif

#include <string.h>

#include "nn/int8.h"

typedef v128_t vector;
#define load wasm_v128_load
#define store wasm_v128_store

/* 4 pixels x 4 channels, a channel's sum in two halves: each product joins neighbours of a quad. Weights in 8 bits or
 * 16; a pixel's sums lie 8 apart. */
static inline __attribute__((always_inline)) void products_4x4(int32_t *sums, const int16_t *panel, const void *w,
                                                               int wide, int quads)
{
    const int16_t *p0 = panel, *p1 = p0 + 4 * quads, *p2 = p1 + 4 * quads, *p3 = p2 + 4 * quads, *words = w;
    const int8_t *bytes = w;
    vector a0 = wasm_i32x4_const(0, 0, 0, 0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    for (int q = 0; q < quads; q++) {
        vector u = wide ? load(words + 16 * q) : wasm_i16x8_load8x8(bytes + 16 * q);
        vector v = wide ? load(words + 16 * q + 8) : wasm_i16x8_load8x8(bytes + 16 * q + 8);
        vector x0 = wasm_v128_load64_splat(p0 + 4 * q), x1 = wasm_v128_load64_splat(p1 + 4 * q);
        a0 = wasm_i32x4_add(a0, wasm_i32x4_dot_i16x8(u, x0)), b0 = wasm_i32x4_add(b0, wasm_i32x4_dot_i16x8(v, x0));
        a1 = wasm_i32x4_add(a1, wasm_i32x4_dot_i16x8(u, x1)), b1 = wasm_i32x4_add(b1, wasm_i32x4_dot_i16x8(v, x1));
        vector x2 = wasm_v128_load64_splat(p2 + 4 * q), x3 = wasm_v128_load64_splat(p3 + 4 * q);
        a2 = wasm_i32x4_add(a2, wasm_i32x4_dot_i16x8(u, x2)), b2 = wasm_i32x4_add(b2, wasm_i32x4_dot_i16x8(v, x2));
        a3 = wasm_i32x4_add(a3, wasm_i32x4_dot_i16x8(u, x3)), b3 = wasm_i32x4_add(b3, wasm_i32x4_dot_i16x8(v, x3));
    }
#define JOIN(a, b) wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7))
    store(sums, JOIN(a0, b0)), store(sums + 8, JOIN(a1, b1));
    store(sums + 16, JOIN(a2, b2)), store(sums + 24, JOIN(a3, b3));
#undef JOIN
}

static void products(int32_t *sums, const void *panel, const int8_t *w0, const int8_t *w1, int quads, int pixels)
{
    const int16_t *at = panel;
    for (int p = 0; p < pixels; p += 4, sums += 32, at += 16 * quads) {
        products_4x4(sums, at, w0, 0, quads);
        products_4x4(sums + 4, at, w1, 0, quads);
    }
}

/* What every sum passes through on its way out. */
typedef struct {
    vector bias[2], multiplier[2], rounding, min, max;
} finish;

/* A float below 2^22 plus this number has the nearest whole number in its lowest bits. */
static const float ROUNDING = 12582912;
static const int32_t ROUNDING_BITS = 0x4b400000;

static finish prepare(const int8_weights *w, const int8_shape *s, int o, int half)
{
    return (finish){{load(w->bias + o), load(w->bias + o + half)},
                    {load(w->multiplier + o), load(w->multiplier + o + half)},
                    wasm_i32x4_splat(ROUNDING_BITS - s->zero_point),
                    wasm_i16x8_splat((int16_t)s->min),
                    wasm_i16x8_splat((int16_t)s->max)};
}

static vector scaled(vector sum, const finish *f, int half)
{
    return wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_i32x4_add(sum, f->bias[half])), f->multiplier[half]);
}

static vector rounded(vector scaled, const finish *f)
{
    return wasm_i32x4_sub(wasm_f32x4_add(scaled, wasm_f32x4_splat(ROUNDING)), f->rounding);
}

/* Eight sums to the eight bytes in the lower half. */
static vector eight_bytes(vector low, vector high, const finish *f)
{
    vector v = wasm_i16x8_narrow_i32x4(rounded(scaled(low, f, 0), f), rounded(scaled(high, f, 1), f));
    v = wasm_i16x8_min(wasm_i16x8_max(v, f->min), f->max);
    return wasm_u8x16_narrow_i16x8(v, v);
}

static vector rectified(vector v, activation act)
{
    if (act == ACT_RELU || act == ACT_RELU6) v = wasm_f32x4_pmax(wasm_f32x4_const(0, 0, 0, 0), v);
    return act == ACT_RELU6 ? wasm_f32x4_pmin(v, wasm_f32x4_splat(6)) : v;
}

/* count (4 or 8) channels of one pixel from index on. */
static void put(void *out, size_t index, vector low, vector high, int count, const finish *f, const int8_shape *s)
{
    if (!s->to_int8) {
        float *to = (float *)out + index;
        store(to, rectified(scaled(low, f, 0), s->window.act));
        if (count == 8) store(to + 4, rectified(scaled(high, f, 1), s->window.act));
        return;
    }
    uint8_t *to = (uint8_t *)out + index;
    vector v = eight_bytes(low, high, f);
    if (count == 8) wasm_v128_store64_lane(to, v, 0);
    else wasm_v128_store32_lane(to, v, 0);
}

/* One row of the windows of `run` neighbours, which begin `apart` bytes after each other, to panels `size` long: as
 * they are, or as 16-bit numbers. Rows too short for vectors go value by value through all windows. */
static void pack_bytes(uint8_t *to, const uint8_t *from, int row, int run, int size, int apart)
{
    for (int n = 0; n < run && row >= 4; n++, to += size, from += apart) {
        int i = 0;
        for (; i + 16 <= row; i += 16) store(to + i, load(from + i));
        for (; i + 4 <= row; i += 4) memcpy(to + i, from + i, 4);
        for (; i < row; i++) to[i] = from[i];
    }
    for (int i = 0; i < row && row < 4; i++)
        for (int n = 0; n < run; n++) to[n * size + i] = from[n * apart + i];
}

static void pack_words(int16_t *to, const uint8_t *from, int row, int run, int size, int apart)
{
    for (int n = 0; n < run && row >= 8; n++, to += size, from += apart) {
        int i = 0;
        for (; i + 8 <= row; i += 8) store(to + i, wasm_u16x8_load8x8(from + i));
        for (; i < row; i++) to[i] = from[i];
    }
    for (int i = 0; i < row && row < 8; i++)
        for (int n = 0; n < run; n++) to[n * size + i] = from[n * apart + i];
}

/* The windows of `count` pixels from `first` on, side by side; zeros up to whole quads and to a multiple of 4 windows.
 */
static void pack(void *panel, const uint8_t *in, const window_shape *s, int first, int count, const int8_dot *dot)
{
    int size = int8_quads(s) * 4, row = s->k * s->cin, apart = s->stride * s->cin, used = s->k * row;
    uint8_t *bytes = panel;
    int16_t *words = panel;
    for (int n = 0, run; n < count; n += run) {
        int y = (first + n) / s->ow, x = (first + n) % s->ow;
        const uint8_t *from = in + (size_t)(y * s->stride * s->w) * (size_t)s->cin + (size_t)(x * apart);
        run = s->ow - x < count - n ? s->ow - x : count - n;
        for (int ky = 0; ky < s->k; ky++, from += s->w * s->cin) {
            if (dot->wide) pack_words(words + n * size + ky * row, from, row, run, size, apart);
            else pack_bytes(bytes + n * size + ky * row, from, row, run, size, apart);
        }
    }
    for (int i = used; i < size; i++) {
        for (int n = 0; n < count && dot->wide; n++) words[n * size + i] = 0;
        for (int n = 0; n < count && !dot->wide; n++) bytes[n * size + i] = 0;
    }
    size_t item = dot->wide ? 2 : 1;
    memset(bytes + (size_t)(count * size) * item, 0, (size_t)(-count & 3) * (size_t)size * item);
}

static void conv(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, const int8_dot *dot,
                 void *workspace)
{
    const window_shape *v = &s->window;
    int quads = int8_quads(v), block = int8_block(quads), pixels = v->oh * v->ow;
    int32_t *sums = workspace, *panel = sums + 8 * block;
    int plain = !dot->wide && v->k == 1 && v->stride == 1 && v->cin % 4 == 0; /* its windows lie side by side */
    for (int first = 0; first < pixels; first += block) {
        int count = pixels - first < block ? pixels - first : block;
        const void *windows = panel;
        if (plain && count % 4 == 0) windows = in + (size_t)first * (size_t)v->cin;
        else pack(panel, in, v, first, count, dot);
        for (int o = 0; o < v->cout; o += 8) {
            int channels = o + 8 <= v->cout ? 8 : 4, half = channels - 4;
            const int8_t *weight = w->weight + (size_t)o * (size_t)quads * 4;
            finish f = prepare(w, s, o, half);
            dot->run(sums, windows, weight, weight + half * quads * 4, quads, (count + 3) / 4 * 4);
            for (int n = 0; n < count; n++)
                put(out, (size_t)(first + n) * (size_t)v->cout + (size_t)o, load(sums + 8 * n), load(sums + 8 * n + 4),
                    channels, &f, s);
        }
    }
}

/* Four bytes or eight as 16-bit numbers; of four, the upper half is 0. */
static inline vector widen(const uint8_t *from, int count)
{
    return count == 8 ? wasm_u16x8_load8x8(from) : wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(from));
}

/* A row or column of four values, `step` apart: B' d. */
static void forward(vector *d, int step)
{
    vector a = d[0], b = d[step], c = d[2 * step];
    d[0] = wasm_i16x8_sub(a, c), d[step] = wasm_i16x8_add(b, c);
    d[2 * step] = wasm_i16x8_sub(c, b), d[3 * step] = wasm_i16x8_sub(b, d[3 * step]);
}

/* Tiles first.. of the input, transformed to [16][block][cin]; those beyond the last repeat it. */
static void winograd_input(int16_t *out, const uint8_t *in, const window_shape *s, int first, int count, int block)
{
    int across = (s->ow + 1) / 2;
    for (int n = 0; n < (count + 3) / 4 * 4; n++) {
        int tile = first + (n < count ? n : count - 1);
        const uint8_t *corner = in + (tile / across * 2 * s->w + tile % across * 2) * s->cin;
        for (int i = 0; i < s->cin; i += 8) {
            int channels = i + 8 <= s->cin ? 8 : 4;
            vector d[16];
            for (int v = 0; v < 4; v++) {
                for (int u = 0; u < 4; u++) d[4 * v + u] = widen(corner + (v * s->w + u) * s->cin + i, channels);
                forward(d + 4 * v, 1);
            }
            for (int u = 0; u < 4; u++) forward(d + u, 4);
            for (int p = 0; p < 16; p++) {
                int16_t *to = out + (p * block + n) * s->cin + i;
                if (channels == 8) store(to, d[p]);
                else wasm_v128_store64_lane(to, d[p], 0);
            }
        }
    }
}

/* A' m A / 4 of four channels, whose positions lie `step` apart. */
static void backward(vector out[4], const int32_t *m, int step)
{
    vector half[8];
    for (int u = 0; u < 4; u++) {
        vector a = load(m + u * step), b = load(m + (4 + u) * step), c = load(m + (8 + u) * step),
               d = load(m + (12 + u) * step);
        half[u] = wasm_i32x4_add(wasm_i32x4_add(a, b), c), half[4 + u] = wasm_i32x4_sub(wasm_i32x4_sub(b, c), d);
    }
    for (int v = 0; v < 2; v++) {
        const vector *h = half + 4 * v;
        out[2 * v] = wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_add(h[0], h[1]), h[2]), 2);
        out[2 * v + 1] = wasm_i32x4_shr(wasm_i32x4_sub(wasm_i32x4_sub(h[1], h[2]), h[3]), 2);
    }
}

/* Tile n's 2 x 2 outputs, as far as they count, from sums[16][block][8]. */
static void tile_out(void *out, const int32_t *sums, int tile, int block, int o, int channels, const finish *f,
                     const int8_shape *s)
{
    const window_shape *v = &s->window;
    int across = (v->ow + 1) / 2, y = tile / across * 2, x = tile % across * 2;
    vector low[4], high[4];
    backward(low, sums, block * 8);
    backward(high, channels == 8 ? sums + 4 : sums, block * 8);
    for (int p = 0; p < 4; p++) {
        int row = y + p / 2, column = x + p % 2;
        if (row < v->oh && column < v->ow)
            put(out, (size_t)((row * v->ow + column) * v->cout + o), low[p], high[p], channels, f, s);
    }
}

static void conv_winograd(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, void *workspace)
{
    const window_shape *v = &s->window;
    int quads = v->cin / 4, block = int8_winograd_block(v->cin), all = (v->oh + 1) / 2 * ((v->ow + 1) / 2);
    int plane = v->cin * v->cout; /* weights of one position */
    int32_t *sums = workspace;
    int16_t *tiles = (int16_t *)(sums + 16 * 8 * block);
    for (int first = 0; first < all; first += block) {
        int count = all - first < block ? all - first : block;
        winograd_input(tiles, in, v, first, count, block);
        for (int o = 0; o < v->cout; o += 8) {
            int channels = o + 8 <= v->cout ? 8 : 4;
            finish f = prepare(w, s, o, channels - 4);
            for (int p = 0; p < 16; p++)
                for (int half = 0; half < channels; half += 4)
                    for (int n = 0; n < count; n += 4)
                        products_4x4(sums + (p * block + n) * 8 + half, tiles + (p * block + n) * v->cin,
                                     w->winograd + p * plane + (o + half) * v->cin, 1, quads);
            for (int n = 0; n < count; n++) tile_out(out, sums + 8 * n, first + n, block, o, channels, &f, s);
        }
    }
}

/* The taps of a window for up to eight channels. Products add up in 16 bits as long as they are sure to fit. */
typedef struct {
    int count, offset[INT8_MAX_TAPS],
        ends[INT8_MAX_TAPS]; /* in bytes from the window's corner; whether 32 bits take over */
    vector weight[INT8_MAX_TAPS];
} taps;

static void gather(taps *t, const int8_t *weight, int channels, const window_shape *s)
{
    int max[8] = {0};
    t->count = s->k * s->k;
    for (int n = 0; n < t->count; n++) {
        int16_t eight[8] = {0};
        int fits = 1;
        t->offset[n] = (n / s->k * s->w + n % s->k) * s->cin;
        t->ends[n] = 0;
        for (int i = 0; i < channels; i++) {
            eight[i] = weight[packed_index(i, n, t->count)];
            max[i] += 127 * (eight[i] < 0 ? -eight[i] : eight[i]);
            if (max[i] > INT16_MAX) fits = 0;
        }
        for (int i = 0; i < channels && !fits; i++) max[i] = 127 * (eight[i] < 0 ? -eight[i] : eight[i]);
        if (!fits) t->ends[n - 1] = 1; /* one product alone always fits */
        t->weight[n] = load(eight);
    }
    t->ends[t->count - 1] = 1;
}

/* Four pixels, whose windows begin `apart` bytes after each other, x 8 channels or 4. */
static inline __attribute__((always_inline)) void depthwise_4(vector low[4], vector high[4], const uint8_t *in,
                                                              int apart, int channels, const taps *t)
{
    vector zero = wasm_i32x4_const(0, 0, 0, 0), a = zero, b = zero, c = zero, d = zero;
    for (int i = 0; i < 4; i++) low[i] = high[i] = zero;
    for (int n = 0; n < t->count; n++) {
        const uint8_t *p = in + t->offset[n];
        vector w = t->weight[n];
        a = wasm_i16x8_add(a, wasm_i16x8_mul(widen(p, channels), w));
        b = wasm_i16x8_add(b, wasm_i16x8_mul(widen(p + apart, channels), w));
        c = wasm_i16x8_add(c, wasm_i16x8_mul(widen(p + 2 * apart, channels), w));
        d = wasm_i16x8_add(d, wasm_i16x8_mul(widen(p + 3 * apart, channels), w));
        if (!t->ends[n]) continue;
#define TAKE_OVER(i, v)                                                 \
    low[i] = wasm_i32x4_add(low[i], wasm_i32x4_extend_low_i16x8(v));    \
    high[i] = wasm_i32x4_add(high[i], wasm_i32x4_extend_high_i16x8(v)); \
    v = zero
        TAKE_OVER(0, a);
        TAKE_OVER(1, b);
        TAKE_OVER(2, c);
        TAKE_OVER(3, d);
#undef TAKE_OVER
    }
}

static void depthwise(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s)
{
    enum { ROWS = 8 }; /* for which a group of channels keeps its weights at hand and its pixels in the cache */
    const window_shape *v = &s->window;
    int few = v->ow < 4;
    for (int first = 0; first < v->oh; first += ROWS)
        for (int o = 0; o < v->cout; o += 8) {
            int channels = o + 8 <= v->cout ? 8 : 4, end = first + ROWS < v->oh ? first + ROWS : v->oh;
            finish f = prepare(w, s, o, channels - 4);
            taps t;
            gather(&t, w->weight + o * v->k * v->k, channels, v);
            for (int y = first; y < end; y++)
                for (int x = 0; x < v->ow; x += few ? 1 : 4) {
                    vector low[4], high[4];
                    int at = few || x + 4 <= v->ow ? x : v->ow - 4; /* the last four may overlap */
                    const uint8_t *corner = in + (y * v->stride * v->w + at * v->stride) * v->cin + o;
                    int apart = few ? 0 : v->stride * v->cin;
                    if (channels == 8) depthwise_4(low, high, corner, apart, 8, &t);
                    else depthwise_4(low, high, corner, apart, 4, &t);
                    for (int n = 0; n < (few ? 1 : 4); n++)
                        put(out, (size_t)((y * v->ow + at + n) * v->cout + o), low[n], high[n], channels, &f, s);
                }
        }
}

/* Sixteen bytes at a time, then four. */
#define EACH(i, n) for (int i = 0, wide; wide = i + 16 <= (n), i < (n); i += wide ? 16 : 4)
static vector get(const uint8_t *from, int wide) { return wide ? load(from) : wasm_v128_load32_zero(from); }

static void set(uint8_t *to, vector v, int wide)
{
    if (wide) store(to, v);
    else wasm_v128_store32_lane(to, v, 0);
}

static void maxpool(uint8_t *out, const uint8_t *in, const window_shape *s)
{
    for (int y = 0; y < s->oh; y++)
        for (int x = 0; x < s->ow; x++, out += s->cout) {
            const uint8_t *corner = in + (y * s->stride * s->w + x * s->stride) * s->cin;
            EACH(o, s->cout)
            {
                vector best = get(corner + o, wide);
                for (int ky = 0; ky < s->k; ky++)
                    for (int kx = 0; kx < s->k; kx++)
                        best = wasm_u8x16_max(best, get(corner + (ky * s->w + kx) * s->cin + o, wide));
                set(out + o, best, wide);
            }
        }
}

/* Four interleaved pairs a, b to four sums. */
static vector sum_pairs(vector pairs, const int8_sum *s)
{
    vector factors = wasm_i32x4_splat((int32_t)((uint32_t)s->factor_b << 16 | (uint16_t)s->factor_a));
    return wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_dot_i16x8(pairs, factors), wasm_i32x4_splat(s->offset)), s->shift);
}

static void add(uint8_t *out, const uint8_t *a, const uint8_t *b, int n, const int8_sum *s)
{
    vector min = wasm_i16x8_splat((int16_t)s->min), max = wasm_i16x8_splat((int16_t)s->max);
    EACH(i, n)
    {
        vector u = get(a + i, wide), v = get(b + i, wide);
        vector first = wasm_i8x16_shuffle(u, v, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        vector last = wasm_i8x16_shuffle(u, v, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        vector low = wasm_i16x8_narrow_i32x4(sum_pairs(wasm_u16x8_extend_low_u8x16(first), s),
                                             sum_pairs(wasm_u16x8_extend_high_u8x16(first), s));
        vector high = wasm_i16x8_narrow_i32x4(sum_pairs(wasm_u16x8_extend_low_u8x16(last), s),
                                              sum_pairs(wasm_u16x8_extend_high_u8x16(last), s));
        low = wasm_i16x8_min(wasm_i16x8_max(low, min), max), high = wasm_i16x8_min(wasm_i16x8_max(high, min), max);
        set(out + i, wasm_u8x16_narrow_i16x8(low, high), wide);
    }
}

static void quantise(uint8_t *out, const float *in, int n, float inverse_scale, int zero_point)
{
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        vector v = wasm_f32x4_mul(load(in + i), wasm_f32x4_splat(inverse_scale)), min = wasm_f32x4_splat(-256);
        v = wasm_f32x4_pmin(wasm_f32x4_splat(256), wasm_f32x4_pmax(min, v)); /* not a number: min */
        v = wasm_i32x4_sub(wasm_f32x4_add(v, wasm_f32x4_splat(ROUNDING)), wasm_i32x4_splat(ROUNDING_BITS - zero_point));
        v = wasm_i16x8_narrow_i32x4(v, v);
        v = wasm_i8x16_narrow_i16x8(v, v);
        v = wasm_i8x16_max(v, wasm_i8x16_splat(0));
        wasm_v128_store32_lane(out + i, v, 0);
    }
    if (i < n) int8_ref.quantise(out + i, in + i, n - i, inverse_scale, zero_point);
}

static void dequantise(float *out, const uint8_t *in, int n, float scale, int zero_point)
{
    for (int i = 0; i < n; i += 4) {
        vector v = wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(in + i)));
        v = wasm_f32x4_convert_i32x4(wasm_i32x4_sub(v, wasm_i32x4_splat(zero_point)));
        store(out + i, wasm_f32x4_mul(wasm_f32x4_splat(scale), v));
    }
}

static void global_avgpool(float *out, const uint8_t *in, int pixels, int c, float scale, int zero_point)
{
    for (int o = 0; o < c; o += 4) {
        vector sum = wasm_i32x4_splat(-pixels * zero_point);
        for (int i = 0; i < pixels; i++)
            sum = wasm_i32x4_add(
                sum, wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(in + i * c + o))));
        vector share = wasm_f32x4_div(wasm_f32x4_convert_i32x4(sum), wasm_f32x4_splat((float)pixels));
        store(out + o, wasm_f32x4_mul(wasm_f32x4_splat(scale), share));
    }
}

const int8_kernels int8_simd = {{products, 1}, conv,     conv_winograd, depthwise,     maxpool,
                                add,           quantise, dequantise,    global_avgpool};
