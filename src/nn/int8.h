/* int8.h - the arithmetic of int8 layers: integer sums, which are exact on every instruction set. One table, two
 * implementations.
 *
 * An activation q is 0..127 and stands for scale * (q - zero_point). It has 7 bits so that the sum of two products of
 * an activation and a weight, -128..127, fits 16 bits: i16 and relaxed i8 dot products then give the same sum.
 * Layout contract, the same for both:
 *   activations   uint8_t [h][w][c], no row padding; channels padded to a multiple of 4, except the input image's
 *   conv weights  int8_t [cout/4][quads][4 outputs][4]: the k * k * cin values of a window in HWC order are padded with
 *                 zeros to quads of 4 values
 *   depthwise     int8_t [c/4][k][k][4]
 *   winograd      int16_t [36][cout/4][cin/4][4 outputs][4]: the weights of a 3 x 3 convolution for the tiles of f32.h,
 *                 transformed by integers only
 * The caller pads borders, as for f32.h. A sum starts at bias[o], which also corrects for the activations' zero point.
 * A float output is sum * multiplier[o]; an int8 output is that, rounded to the nearest (even) integer, plus
 * zero_point, clamped to min..max. int8_layers.c makes sure that no sum overflows 32 bits and no scaled sum reaches
 * INT8_MAX_SCALED_SUM.
 *
 * Winograd's F(4x4, 3x3) divides by 576 = 9 * 64. Here its weights are not divided, so a tile yields 576 times each sum,
 * modulo 2^32 where that overflows. Multiplied by the inverse of 9 modulo 2^32 and shifted by 6 bits, it is the sum
 * itself, if that has at most 26 bits. */
#ifndef PLEURA_INT8_H
#define PLEURA_INT8_H

#include <stddef.h>
#include <stdint.h>

#include "nn/f32.h"

enum {
    INT8_MAX_TAPS = 49,            /* of a depthwise window: 7 x 7 */
    INT8_MAX_SCALED_SUM = 1 << 21, /* the vector kernels round by a float addition that is exact below 2^22 */
    INT8_MAX_WINOGRAD_SUM = 1 << 25,
};

typedef struct {
    const int8_t *weight;
    const int16_t *winograd; /* NULL unless the layer runs by Winograd's algorithm */
    int32_t *bias;           /* [cout] */
    float *multiplier;       /* [cout] */
} int8_weights;

/* sums[pixels][8] = the dot products of each pixel of panel[pixels][4 * quads] with w0[quads][4][4] and
 * w1[quads][4][4]; pixels % 4 == 0. If wide is not 0, the panel is int16_t [pixels/4][quads][4 pixels][4], else uint8_t
 * as above. */
typedef void int8_dot_products(int32_t *sums, const void *panel, const int8_t *w0, const int8_t *w1, int quads,
                               int pixels);
typedef struct {
    int8_dot_products *run;
    int wide;
} int8_dot;

typedef struct {
    window_shape window;
    const int8_dot *dot; /* for conv; the reference needs none */
    int to_int8;         /* whether the output is int8, else float with window.act */
    int zero_point, min, max;
} int8_shape;

/* q = (a * factor_a + b * factor_b + offset) >> shift, clamped to min..max; the factors fit 16 bits. */
typedef struct {
    int factor_a, factor_b, offset, shift, min, max;
} int8_sum;

typedef struct int8_kernels {
    int8_dot dot; /* the fastest that is compiled in; NULL in the reference */
    /* out[oh][ow][cout]; workspace: int8_workspace() bytes */
    void (*conv)(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, void *workspace);
    /* The same for a 3 x 3 window at stride 1, by w->winograd; workspace: int8_winograd_workspace() bytes. The input is
     * bordered for whole tiles: s->window.h and w are 2 larger than oh and ow rounded up to multiples of TILE. */
    void (*conv_winograd)(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, void *workspace);
    void (*depthwise)(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s);
    /* out[oh][ow][cout] = maximum of each window; cin == cout */
    void (*maxpool)(uint8_t *out, const uint8_t *in, const window_shape *s);
    /* out[n], n % 4 == 0 */
    void (*add)(uint8_t *out, const uint8_t *a, const uint8_t *b, int n, const int8_sum *s);
    /* out[n] = in[n] * inverse_scale, rounded, plus zero_point, clamped to 0..127 */
    void (*quantise)(uint8_t *out, const float *in, int n, float inverse_scale, int zero_point);
    /* out[n] = scale * (in[n] - zero_point) */
    void (*dequantise)(float *out, const uint8_t *in, int n, float scale, int zero_point);
    /* out[c] = scale * (sum over the pixels of in[pixels][c] - pixels * zero_point) / pixels */
    void (*global_avgpool)(float *out, const uint8_t *in, int pixels, int c, float scale, int zero_point);
} int8_kernels;

extern const int8_kernels int8_ref, int8_simd, int8_avx2; /* the last one where fastest.h allows it */

static inline int int8_quads(const window_shape *s) { return (s->k * s->k * s->cin + 3) / 4; }

/* Index in conv weights: output o, value i of its window in HWC order. */
static inline size_t int8_packed_index(int o, int i, int quads)
{
    return ((size_t)(o / 4) * (size_t)quads + (size_t)(i / 4)) * 16 + (size_t)(o % 4 * 4 + i % 4);
}

/* Pixels that conv computes together: their windows should stay in the second-level cache. */
static inline int int8_block(int quads)
{
    int fit = 16384 / quads / 4 * 4;
    return fit < 16 ? 16 : fit > 256 ? 256 : fit;
}

/* Bytes that conv needs besides its input and output. */
static inline size_t int8_workspace(int quads)
{
    return (size_t)int8_block(quads) * ((size_t)quads * 4 * (1 + sizeof(int16_t)) + 8 * sizeof(int32_t));
}

/* Tiles that conv_winograd computes together, and the bytes that it needs for them. */
static inline int int8_winograd_block(int cin)
{
    int fit = 4096 / cin / 4 * 4;
    return fit < 8 ? 8 : fit > 32 ? 32 : fit;
}

static inline size_t int8_winograd_workspace(int cin)
{
    return (size_t)int8_winograd_block(cin) * TILE_POSITIONS * ((size_t)cin * sizeof(int16_t) + 8 * sizeof(int32_t));
}

/* Whether the dot products are exact, also at the ends of the range. Some engines get relaxed ones wrong (V8 before
 * 12.2). */
int int8_dot_works(const int8_dot *dot);

#endif
