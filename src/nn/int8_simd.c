/* int8_simd.c - the kernels of int8_ref.c on 128-bit vectors, with the same sums.
 *
 * A convolution becomes a matrix product. For a block of pixels, each pixel's window is copied into one row of a panel,
 * which stays in the cache while the weights of eight output channels after the other are multiplied with it. That
 * product is replaceable (int8_dot), since relaxed SIMD, where an engine has it, is faster than what is compiled in.
 * All kernels then send their sums, eight channels of a pixel at a time, through the same output stage. */
/* Nested loops over one index space share an indentation. */
/* clang-format off */
#include "nn/simd.h"

#include <string.h>

#include "nn/int8.h"

typedef v128_t vector;
#define load wasm_v128_load
#define store wasm_v128_store

/* int8_avx2.c includes this file behind its own dot products. */
#ifndef TABLE
#define TABLE int8_simd
#define WIDE 1

/* The dot products of 4 pixels with 4 output channels; their sums lie `apart`. i32x4.dot_i16x8 adds the
 * products of two neighbours, so each channel's sum is kept in two halves, which are joined at the end. Weights are
 * int16_t if wide, else int8_t. By far most of the time of an int8 network is spent in this loop. */
static inline __attribute__((always_inline)) void dot_4x4(int32_t *sums, int apart, const int16_t *panel,
                                                          const void *w, int wide, int quads)
{
    const int16_t *w16 = w;
    const int8_t *w8 = w;
    vector a0 = wasm_i32x4_const(0, 0, 0, 0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    for (int q = 0; q < quads; q++, panel += 16, w16 += 16, w8 += 16) {
        vector u = wide ? load(w16) : wasm_i16x8_load8x8(w8), v = wide ? load(w16 + 8) : wasm_i16x8_load8x8(w8 + 8);
        vector x0 = wasm_v128_load64_splat(panel), x1 = wasm_v128_load64_splat(panel + 4);
        a0 = wasm_i32x4_add(a0, wasm_i32x4_dot_i16x8(u, x0)), b0 = wasm_i32x4_add(b0, wasm_i32x4_dot_i16x8(v, x0));
        a1 = wasm_i32x4_add(a1, wasm_i32x4_dot_i16x8(u, x1)), b1 = wasm_i32x4_add(b1, wasm_i32x4_dot_i16x8(v, x1));
        vector x2 = wasm_v128_load64_splat(panel + 8), x3 = wasm_v128_load64_splat(panel + 12);
        a2 = wasm_i32x4_add(a2, wasm_i32x4_dot_i16x8(u, x2)), b2 = wasm_i32x4_add(b2, wasm_i32x4_dot_i16x8(v, x2));
        a3 = wasm_i32x4_add(a3, wasm_i32x4_dot_i16x8(u, x3)), b3 = wasm_i32x4_add(b3, wasm_i32x4_dot_i16x8(v, x3));
    }
#define JOIN(a, b) wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7))
    store(sums, JOIN(a0, b0)), store(sums + apart, JOIN(a1, b1));
    store(sums + 2 * apart, JOIN(a2, b2)), store(sums + 3 * apart, JOIN(a3, b3));
#undef JOIN
}

static void dot_products(int32_t *sums, const void *panel, const int8_t *w0, const int8_t *w1, int quads, int pixels)
{
    const int16_t *at = panel;
    for (int p = 0; p < pixels; p += 4, sums += 32, at += 16 * quads) {
        dot_4x4(sums, 8, at, w0, 0, quads);
        dot_4x4(sums + 4, 8, at, w1, 0, quads);
    }
}

/* The dot products of Winograd tiles, at one of their positions, with the transformed weights of 8 output channels or
 * 4. The sums of a tile lie 8 * TILE_POSITIONS apart; the panel is that of winograd_input. */
static void dot_tiles(int32_t *sums, const int16_t *panel, const int16_t *w, int channels, int quads, int tiles)
{
    for (int half = 0; half < channels; half += 4, w += 16 * quads)
    for (int n = 0; n < tiles; n += 4)
        dot_4x4(sums + n * TILE_POSITIONS * 8 + half, TILE_POSITIONS * 8, panel + n * TILE_POSITIONS * 4 * quads, w, 1,
                quads);
}
#endif

/* How the sums of up to eight output channels become outputs: bias, multiplier, rounding, clamping. */
typedef struct {
    vector bias[2], multiplier[2], rounding, min, max;
    const int8_shape *shape;
    int o, channels; /* the first channel; 8 of them or 4 */
} output_stage;

/* Adding this to a float below 2^22 leaves the nearest integer in its lowest bits. */
static const float ROUNDING = 12582912;
static const int32_t ROUNDING_BITS = 0x4b400000; /* the bits of ROUNDING */

static output_stage prepare_output(const int8_weights *w, const int8_shape *s, int o)
{
    int channels = o + 8 <= s->window.cout ? 8 : 4, second = o + channels - 4;
    return (output_stage){.bias = {load(w->bias + o), load(w->bias + second)},
                          .multiplier = {load(w->multiplier + o), load(w->multiplier + second)},
                          .rounding = wasm_i32x4_splat(ROUNDING_BITS - s->zero_point),
                          .min = wasm_i16x8_splat((int16_t)s->min),
                          .max = wasm_i16x8_splat((int16_t)s->max),
                          .shape = s,
                          .o = o,
                          .channels = channels};
}

static vector scaled(vector sum, const output_stage *stage, int half)
{
    vector biased = wasm_i32x4_add(sum, stage->bias[half]);
    return wasm_f32x4_mul(wasm_f32x4_convert_i32x4(biased), stage->multiplier[half]);
}

static vector rounded(vector v, const output_stage *stage)
{
    return wasm_i32x4_sub(wasm_f32x4_add(v, wasm_f32x4_splat(ROUNDING)), stage->rounding);
}

/* Eight sums become eight int8 values in the lower half. */
static vector quantised(vector low, vector high, const output_stage *stage)
{
    vector v = wasm_i16x8_narrow_i32x4(rounded(scaled(low, stage, 0), stage), rounded(scaled(high, stage, 1), stage));
    v = wasm_i16x8_min(wasm_i16x8_max(v, stage->min), stage->max);
    return wasm_u8x16_narrow_i16x8(v, v);
}

/* Stores the channels of one pixel; `high` counts only if there are eight. */
static void put(void *out, int pixel, vector low, vector high, const output_stage *stage)
{
    const int8_shape *s = stage->shape;
    size_t index = (size_t)pixel * (size_t)s->window.cout + (size_t)stage->o;
    if (!s->to_int8) {
        float *to = (float *)out + index;
        store(to, clamp_to_act4(scaled(low, stage, 0), s->window.act));
        if (stage->channels == 8) store(to + 4, clamp_to_act4(scaled(high, stage, 1), s->window.act));
        return;
    }
    uint8_t *to = (uint8_t *)out + index;
    vector v = quantised(low, high, stage);
    if (stage->channels == 8) wasm_v128_store64_lane(to, v, 0);
    else wasm_v128_store32_lane(to, v, 0);
}

/* Neighbouring windows in one line of the input, of which one row each is packed. */
typedef struct {
    int count, row;  /* windows; values of one row */
    int apart, size; /* values from window to window: in the input, in the panel */
} strip;

/* Rows too short for vectors go value by value through all windows. */
static void pack_bytes(uint8_t *to, const uint8_t *from, const strip *s)
{
    int row = s->row;
    if (row < 4) {
        for (int i = 0; i < row; i++)
        for (int n = 0; n < s->count; n++) to[n * s->size + i] = from[n * s->apart + i];
        return;
    }
    for (int n = 0; n < s->count; n++, to += s->size, from += s->apart) {
        int i = 0;
        for (; i + 16 <= row; i += 16) store(to + i, load(from + i));
        for (; i + 4 <= row; i += 4) memcpy(to + i, from + i, 4);
        for (; i < row; i++) to[i] = from[i];
    }
}

typedef struct {
    int first, count;
} range;

/* Copies the windows of some pixels into the panel, one per row. Pads each with zeros to whole quads, and the panel to
 * a multiple of 4 rows. */
static void pack(uint8_t *panel, const uint8_t *in, const window_shape *s, range pixels)
{
    int row = s->k * s->cin, used = s->k * row;
    strip windows = {.row = row, .apart = s->stride * s->cin, .size = int8_quads(s) * 4};
    for (int n = 0; n < pixels.count; n += windows.count) {
        int y = (pixels.first + n) / s->ow, x = (pixels.first + n) % s->ow, left = pixels.count - n;
        const uint8_t *from = in + (size_t)(y * s->stride * s->w) * (size_t)s->cin + (size_t)(x * windows.apart);
        windows.count = s->ow - x < left ? s->ow - x : left;
        for (int ky = 0; ky < s->k; ky++, from += s->w * s->cin)
            pack_bytes(panel + n * windows.size + ky * row, from, &windows);
    }
    for (int i = used; i < windows.size; i++)
    for (int n = 0; n < pixels.count; n++) panel[n * windows.size + i] = 0;
    memset(panel + pixels.count * windows.size, 0, (size_t)(-pixels.count & 3) * (size_t)windows.size);
}

/* The panel in 16-bit integers, the quads of four pixels side by side: its addresses cost V8 as much as its products. */
static void interleave(int16_t *to, const uint8_t *panel, int quads, int pixels)
{
    for (int p = 0; p < pixels; p += 4, panel += 12 * quads)
    for (int q = 0; q < quads; q++, panel += 4, to += 16) {
        vector v = wasm_v128_load32_zero(panel);
        v = wasm_v128_load32_lane(panel + 4 * quads, v, 1), v = wasm_v128_load32_lane(panel + 8 * quads, v, 2);
        v = wasm_v128_load32_lane(panel + 12 * quads, v, 3);
        store(to, wasm_u16x8_extend_low_u8x16(v)), store(to + 8, wasm_u16x8_extend_high_u8x16(v));
    }
}

static void conv(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, void *workspace)
{
    const window_shape *v = &s->window;
    int quads = int8_quads(v), block = int8_block(quads), pixels = v->oh * v->ow;
    int32_t *sums = workspace;
    int16_t *wide = (int16_t *)(sums + 8 * block);
    uint8_t *panel = (uint8_t *)(wide + 4 * quads * block);
    int in_place = v->k == 1 && v->stride == 1 && v->cin % 4 == 0; /* the windows lie side by side already */
    for (int first = 0; first < pixels; first += block) {
        int count = pixels - first < block ? pixels - first : block, padded = (count + 3) / 4 * 4;
        const uint8_t *windows = panel;
        if (in_place && count == padded) windows = in + (size_t)first * (size_t)v->cin;
        else pack(panel, in, v, (range){first, count});
        if (s->dot->wide) interleave(wide, windows, quads, padded);
        for (int o = 0; o < v->cout; o += 8) {
            output_stage stage = prepare_output(w, s, o);
            const int8_t *w0 = w->weight + (size_t)o * (size_t)quads * 4;
            const int8_t *w1 = stage.channels == 8 ? w0 + 16 * quads : w0;
            s->dot->run(sums, s->dot->wide ? (const void *)wide : windows, w0, w1, quads, padded);
            for (int n = 0; n < count; n++) put(out, first + n, load(sums + 8 * n), load(sums + 8 * n + 4), &stage);
        }
    }
}

/* 4 or 8 activations as 16-bit integers; after 4 of them the upper half is 0. */
static inline vector widen(const uint8_t *from, int count)
{
    return count == 8 ? wasm_u16x8_load8x8(from) : wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(from));
}

/* B' d of a row or column: six values that lie `step` apart. */
static void transform_input(vector *d, int step)
{
#define TIMES_4(v) wasm_i16x8_shl(v, 2)
#define TIMES_2(v) wasm_i16x8_shl(v, 1)
    vector d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step];
    vector a = wasm_i16x8_sub(d4, TIMES_4(d2)), b = wasm_i16x8_sub(d3, TIMES_4(d1));
    vector c = wasm_i16x8_sub(d4, d2), e = TIMES_2(wasm_i16x8_sub(d3, d1));
    d[0] = wasm_i16x8_add(c, TIMES_4(wasm_i16x8_sub(d[0], d2)));
    d[step] = wasm_i16x8_add(a, b), d[2 * step] = wasm_i16x8_sub(a, b);
    d[3 * step] = wasm_i16x8_add(c, e), d[4 * step] = wasm_i16x8_sub(c, e);
    d[5 * step] = wasm_i16x8_sub(wasm_i16x8_sub(d[5 * step], d3), TIMES_2(e));
#undef TIMES_4
#undef TIMES_2
}

/* The corner of a tile's output. */
static int tile_y(const window_shape *s, int tile) { return tile / ((s->ow + TILE - 1) / TILE) * TILE; }
static int tile_x(const window_shape *s, int tile) { return tile % ((s->ow + TILE - 1) / TILE) * TILE; }

/* Tiles of the input, transformed: [count/4][36][cin/4][4 tiles][4]. Repeats the last one up to a multiple of 4. */
static void winograd_input(int16_t *out, const uint8_t *in, const window_shape *s, range tiles)
{
    for (int n = 0; n < (tiles.count + 3) / 4 * 4; n++) {
        int tile = tiles.first + (n < tiles.count ? n : tiles.count - 1);
        const uint8_t *corner = in + (tile_y(s, tile) * s->w + tile_x(s, tile)) * s->cin;
        int16_t *to = out + n / 4 * 4 * TILE_POSITIONS * s->cin + n % 4 * 4;
        for (int next = 0; next < s->cin; next += 8) {
            int i = next + 8 <= s->cin ? next : s->cin - 8; /* the last eight may overlap those before */
            vector d[TILE_POSITIONS];
            for (int u = 0; u < TILE_IN; u++) {
                for (int v = 0; v < TILE_IN; v++)
                    d[v * TILE_IN + u] = wasm_u16x8_load8x8(corner + (v * s->w + u) * s->cin + i);
                transform_input(d + u, TILE_IN);
            }
            for (int v = 0; v < TILE_IN; v++) transform_input(d + v * TILE_IN, 1);
            for (int p = 0; p < TILE_POSITIONS; p++) {
                int16_t *quad = to + (p * s->cin + i) * 4;
                wasm_v128_store64_lane(quad, d[p], 0), wasm_v128_store64_lane(quad + 16, d[p], 1);
            }
        }
    }
}

/* A' m of a row or column, times 24: six values that lie `step` apart become four. */
static void transform_output(vector *o, const vector *m, int step)
{
#define ADD wasm_i32x4_add
#define SUB wasm_i32x4_sub
#define TIMES(power, v) wasm_i32x4_shl(v, power) /* of two */
    vector m5 = m[5 * step], sum = ADD(m[step], m[2 * step]), dif = SUB(m[step], m[2 * step]);
    vector sum2 = ADD(m[3 * step], m[4 * step]), dif2 = SUB(m[3 * step], m[4 * step]);
    o[0] = ADD(TIMES(1, ADD(m[0], TIMES(1, SUB(m[0], sum)))), sum2);        /* 6 m0 - 4 sum + sum2 */
    o[step] = TIMES(1, SUB(dif2, TIMES(1, dif)));                           /* 2 dif2 - 4 dif */
    o[2 * step] = TIMES(2, SUB(sum2, sum));                                 /* 4 sum2 - 4 sum */
    o[3 * step] = TIMES(2, SUB(TIMES(1, ADD(dif2, ADD(m5, TIMES(1, m5)))), dif)); /* 8 dif2 - 4 dif + 24 m5 */
}

/* The 4 x 4 sums of four channels, in out[v * TILE_IN + u], from m[36][8]. */
static void gather_sums(vector out[TILE_POSITIONS], const int32_t *m)
{
    static const int32_t inverse_of_9 = 954437177; /* modulo 2^32 */
    for (int u = 0; u < TILE_IN; u++) {
        for (int v = 0; v < TILE_IN; v++) out[v * TILE_IN + u] = load(m + (v * TILE_IN + u) * 8);
        transform_output(out + u, out + u, TILE_IN);
    }
    for (int v = 0; v < TILE; v++) {
        vector *row = out + v * TILE_IN;
        transform_output(row, row, 1);
        for (int u = 0; u < TILE; u++)
            row[u] = wasm_i32x4_shr(wasm_i32x4_mul(row[u], wasm_i32x4_splat(inverse_of_9)), 6);
    }
#undef ADD
#undef SUB
#undef TIMES
}

/* Stores the outputs of one tile, as far as they lie within the output, from sums[36][8]. */
static void winograd_output(void *out, const int32_t *sums, int tile, const output_stage *stage)
{
    const window_shape *s = &stage->shape->window;
    int y = tile_y(s, tile), x = tile_x(s, tile);
    vector first[TILE_POSITIONS], second[TILE_POSITIONS], *low = first, *high = first;
    gather_sums(low, sums);
    if (stage->channels == 8) gather_sums(high = second, sums + 4);
    for (int v = 0; v < TILE && y + v < s->oh; v++)
    for (int u = 0; u < TILE && x + u < s->ow; u++)
        put(out, (y + v) * s->ow + x + u, low[v * TILE_IN + u], high[v * TILE_IN + u], stage);
}

static void conv_winograd(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, void *workspace)
{
    const window_shape *v = &s->window;
    int quads = v->cin / 4, block = int8_winograd_block(v->cin);
    int all = ((v->oh + TILE - 1) / TILE) * ((v->ow + TILE - 1) / TILE);
    int plane = v->cin * v->cout; /* weights of one position */
    int32_t *sums = workspace;
    int16_t *tiles = (int16_t *)(sums + TILE_POSITIONS * 8 * block);
    for (int first = 0; first < all; first += block) {
        int count = all - first < block ? all - first : block;
        winograd_input(tiles, in, v, (range){first, count});
        for (int o = 0; o < v->cout; o += 8) {
            output_stage stage = prepare_output(w, s, o);
            for (int p = 0; p < TILE_POSITIONS; p++)
                dot_tiles(sums + p * 8, tiles + 4 * p * v->cin, w->winograd + p * plane + o * v->cin, stage.channels,
                          quads, count);
            for (int n = 0; n < count; n++) winograd_output(out, sums + n * TILE_POSITIONS * 8, first + n, &stage);
        }
    }
}

/* The taps of a window for up to eight channels, two by two; the last pair of an odd number is one tap and 0. */
typedef struct {
    int count;
    struct {
        int a, b;         /* values from the corner of the window */
        vector low, high; /* weights, those of a and b next to each other */
    } pair[(INT8_MAX_TAPS + 1) / 2];
} taps;

static void gather_taps(taps *t, const int8_t *weight, int channels, const window_shape *s)
{
    int all = s->k * s->k;
    t->count = (all + 1) / 2;
    for (int n = 0; n < t->count; n++) {
        int16_t weights[16] = {0};
        int last = 2 * n + 1 < all;
        for (int i = 0; i < channels; i++)
        for (int j = 0; j <= last; j++) weights[2 * i + j] = weight[packed_index(i, 2 * n + j, all)];
        t->pair[n].a = (2 * n / s->k * s->w + 2 * n % s->k) * s->cin;
        t->pair[n].b = ((2 * n + last) / s->k * s->w + (2 * n + last) % s->k) * s->cin;
        t->pair[n].low = load(weights), t->pair[n].high = load(weights + 8);
    }
}

/* Four pixels, whose windows begin `apart` values after each other, x 8 channels or 4. */
static inline __attribute__((always_inline)) void depthwise_4(vector low[4], vector high[4], const uint8_t *in,
                                                              int apart, int channels, const taps *t)
{
    vector a0 = wasm_i32x4_const(0, 0, 0, 0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    for (int n = 0; n < t->count; n++) {
        const uint8_t *p = in + t->pair[n].a, *q = in + t->pair[n].b;
        vector u = t->pair[n].low, v = t->pair[n].high;
#define STEP(i)                                                                                                \
    {                                                                                                          \
        vector x = widen(p + i * apart, channels), y = widen(q + i * apart, channels);                         \
        a##i = wasm_i32x4_add(a##i, wasm_i32x4_dot_i16x8(u, wasm_i16x8_shuffle(x, y, 0, 8, 1, 9, 2, 10, 3, 11))); \
        if (channels == 8)                                                                                     \
            b##i = wasm_i32x4_add(b##i, wasm_i32x4_dot_i16x8(v, wasm_i16x8_shuffle(x, y, 4, 12, 5, 13, 6, 14, 7, 15))); \
    }
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
#undef STEP
    }
    low[0] = a0, low[1] = a1, low[2] = a2, low[3] = a3;
    high[0] = b0, high[1] = b1, high[2] = b2, high[3] = b3;
}

static void depthwise(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s)
{
    enum { ROWS = 16 }; /* rows that are computed with one group of channels while their pixels are in the cache */
    const window_shape *v = &s->window;
    int narrow = v->ow < 4, step = narrow ? 1 : 4, apart = narrow ? 0 : v->stride * v->cin;
    for (int first = 0; first < v->oh; first += ROWS)
    for (int o = 0; o < v->cout; o += 8) {
        int end = first + ROWS < v->oh ? first + ROWS : v->oh;
        output_stage stage = prepare_output(w, s, o);
        taps t;
        gather_taps(&t, w->weight + o * v->k * v->k, stage.channels, v);
        for (int y = first; y < end; y++)
        for (int x = 0; x < v->ow; x += step) {
            vector low[4], high[4];
            int at = x + step <= v->ow ? x : v->ow - step; /* the last four may overlap those before */
            const uint8_t *corner = in + (y * v->stride * v->w + at * v->stride) * v->cin + o;
            if (stage.channels == 8) depthwise_4(low, high, corner, apart, 8, &t);
            else depthwise_4(low, high, corner, apart, 4, &t);
            for (int n = 0; n < step; n++) put(out, y * v->ow + at + n, low[n], high[n], &stage);
        }
    }
}

/* Steps through n values, 16 at a time and at the end 4. */
#define EACH(i, n) for (int i = 0, wide; wide = i + 16 <= (n), i < (n); i += wide ? 16 : 4)
static vector load_16_or_4(const uint8_t *from, int wide) { return wide ? load(from) : wasm_v128_load32_zero(from); }

static void store_16_or_4(uint8_t *to, vector v, int wide)
{
    if (wide) store(to, v);
    else wasm_v128_store32_lane(to, v, 0);
}

static void maxpool(uint8_t *out, const uint8_t *in, const window_shape *s)
{
    for (int y = 0; y < s->oh; y++)
    for (int x = 0; x < s->ow; x++, out += s->cout) {
        const uint8_t *corner = in + (y * s->stride * s->w + x * s->stride) * s->cin;
        EACH(o, s->cout) {
            vector best = load_16_or_4(corner + o, wide);
            for (int ky = 0; ky < s->k; ky++)
            for (int kx = 0; kx < s->k; kx++)
                best = wasm_u8x16_max(best, load_16_or_4(corner + (ky * s->w + kx) * s->cin + o, wide));
            store_16_or_4(out + o, best, wide);
        }
    }
}

/* Four interleaved pairs a, b become four sums. */
static vector sum_pairs(vector pairs, const int8_sum *s)
{
    vector factors = wasm_i32x4_splat((int32_t)((uint32_t)s->factor_b << 16 | (uint16_t)s->factor_a));
    return wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_dot_i16x8(pairs, factors), wasm_i32x4_splat(s->offset)), s->shift);
}

static void add(uint8_t *out, const uint8_t *a, const uint8_t *b, int n, const int8_sum *s)
{
    vector min = wasm_i16x8_splat((int16_t)s->min), max = wasm_i16x8_splat((int16_t)s->max);
    EACH(i, n) {
        vector u = load_16_or_4(a + i, wide), v = load_16_or_4(b + i, wide);
        vector first = wasm_i8x16_shuffle(u, v, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        vector last = wasm_i8x16_shuffle(u, v, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        vector low = wasm_i16x8_narrow_i32x4(sum_pairs(wasm_u16x8_extend_low_u8x16(first), s),
                                             sum_pairs(wasm_u16x8_extend_high_u8x16(first), s));
        vector high = wasm_i16x8_narrow_i32x4(sum_pairs(wasm_u16x8_extend_low_u8x16(last), s),
                                              sum_pairs(wasm_u16x8_extend_high_u8x16(last), s));
        low = wasm_i16x8_min(wasm_i16x8_max(low, min), max), high = wasm_i16x8_min(wasm_i16x8_max(high, min), max);
        store_16_or_4(out + i, wasm_u8x16_narrow_i16x8(low, high), wide);
    }
}

static void quantise(uint8_t *out, const float *in, int n, float inverse_scale, int zero_point)
{
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        vector v = wasm_f32x4_mul(load(in + i), wasm_f32x4_splat(inverse_scale)), min = wasm_f32x4_splat(-256);
        v = wasm_f32x4_pmin(wasm_f32x4_splat(256), wasm_f32x4_pmax(min, v)); /* NaN becomes the minimum */
        v = wasm_i32x4_sub(wasm_f32x4_add(v, wasm_f32x4_splat(ROUNDING)), wasm_i32x4_splat(ROUNDING_BITS - zero_point));
        v = wasm_i16x8_narrow_i32x4(v, v);
        v = wasm_i8x16_narrow_i16x8(v, v);
        v = wasm_i8x16_max(v, wasm_i8x16_splat(0));
        wasm_v128_store32_lane(out + i, v, 0);
    }
    if (i < n) int8_ref.quantise(out + i, in + i, n - i, inverse_scale, zero_point);
}

/* Four values as 32-bit integers. */
static vector extend_4(const uint8_t *from)
{
    return wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(from)));
}

static void dequantise(float *out, const uint8_t *in, int n, float scale, int zero_point)
{
    for (int i = 0; i < n; i += 4) {
        vector v = wasm_f32x4_convert_i32x4(wasm_i32x4_sub(extend_4(in + i), wasm_i32x4_splat(zero_point)));
        store(out + i, wasm_f32x4_mul(wasm_f32x4_splat(scale), v));
    }
}

static void global_avgpool(float *out, const uint8_t *in, int pixels, int c, float scale, int zero_point)
{
    for (int o = 0; o < c; o += 4) {
        vector sum = wasm_i32x4_splat(-pixels * zero_point);
        for (int i = 0; i < pixels; i++) sum = wasm_i32x4_add(sum, extend_4(in + i * c + o));
        vector average = wasm_f32x4_div(wasm_f32x4_convert_i32x4(sum), wasm_f32x4_splat((float)pixels));
        store(out + o, wasm_f32x4_mul(wasm_f32x4_splat(scale), average));
    }
}

const int8_kernels TABLE = {{dot_products, WIDE}, conv, conv_winograd, depthwise, maxpool, add, quantise, dequantise,
                                global_avgpool};
