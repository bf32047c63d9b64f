/* int8.h - layers on bytes: whole-number sums, exact whatever instructions carry them out. One table, two
 * implementations.
 *
 * An activation is a byte q, 0..127, that stands for step * (q - zero); a weight is -128..127 with one scale an output
 * channel. Two products of such a pair fit 16 bits, so i16 and relaxed i8 dot products give the same sum.
 * Layout contract, the same for both:
 *   activations  [h][w][c], no row padding; channels padded to a multiple of 4 (the image alone is not)
 *   conv         [cout/4][quads][4 outputs][4]: a window's k * k * cin values in HWC order, padded by zeros to whole
 * quads depthwise    [c/4][k][k][4] tiles        [16][cout/4][cin/4][4 outputs][4], 16-bit: a 3 x 3 convolution by
 * Winograd's F(2x2, 3x3) (Lavin and Gray, 2016), four times too large so that all numbers stay whole; a tile of 2 x 2
 * outputs takes 16 products a channel instead of 36, and gives the same sums As for kernels.h, borders are padded by
 * the caller. A sum begins at start[o], which holds the bias and what the activations' zero adds. It leaves as a float,
 * sum * factor[o], or as a byte, that product rounded to the nearest (even) number, plus zero, within least..most.
 * bytes.c has checked that no sum overflows and that the product stays below 2^21. */
#ifndef PLEURA_INT8_H
#define PLEURA_INT8_H

#include <stddef.h>
#include <stdint.h>

#include "nn/f32.h"

typedef struct {
    const int8_t *weight;
    const int16_t *tiles; /* NULL where there are none */
    const int32_t *start; /* [cout] */
    const float *factor;  /* [cout] */
} int8_weights;

typedef struct {
    window_shape window;
    int bytes; /* whether the output is bytes, else floats with window.act */
    int zero, least, most;
} int8_shape;

/* q = a * factor_a + b * factor_b + offset, shifted right, within least..most; the factors fit 16 bits. */
typedef struct {
    int factor_a, factor_b, offset, shift, least, most;
} int8_sum;

/* sums[pixels][8] = for each pixel of panel[pixels][4 * quads] its products with w0[quads][4][4] and w1[quads][4][4];
 * pixels % 4 == 0. The panel's values are bytes when wide is 0, else 16-bit numbers. */
typedef void int8_products(int32_t *sums, const void *panel, const int8_t *w0, const int8_t *w1, int quads, int pixels);
typedef struct {
    int8_products *products;
    int wide;
} int8_dot;

typedef struct int8_kernels {
    int8_dot dot; /* for conv; NULL in the reference, which needs none */
    /* out[oh][ow][cout]; room: int8_room() bytes */
    void (*conv)(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, const int8_dot *dot,
                 void *room);
    /* The same for a 3 x 3 window at stride 1 with w->tiles; room: int8_tiles_room() bytes. The input is bordered for
     * whole tiles: s->window.h and w are even and at least 2 larger than oh and ow rounded up to even numbers. */
    void (*conv_tiles)(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, void *room);
    void (*depthwise)(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s);
    /* out[oh][ow][cout] = maximum of each window; cin == cout */
    void (*maxpool)(uint8_t *out, const uint8_t *in, const window_shape *s);
    /* out[n], n % 4 == 0 */
    void (*add)(uint8_t *out, const uint8_t *a, const uint8_t *b, int n, const int8_sum *s);
    /* out[n] = in[n] / step rounded, plus zero, within 0..127; inverse is 1 / step */
    void (*quantise)(uint8_t *out, const float *in, int n, float inverse, int zero);
    /* out[n] = step * (in[n] - zero) */
    void (*dequantise)(float *out, const uint8_t *in, int n, float step, int zero);
    /* out[c] = step * (sum over the pixels of in[pixels][c] - pixels * zero) / pixels */
    void (*mean)(float *out, const uint8_t *in, int pixels, int c, float step, int zero);
} int8_kernels;

enum { INT8_MAX_TAPS = 49 }; /* of a depthwise window: 7 x 7 */

extern const int8_kernels int8_ref, int8_simd;

/* Pixels that conv takes together: their windows should stay in the second-level cache. */
static inline int int8_block(int quads)
{
    int fit = 16384 / quads / 4 * 4;
    return fit < 16 ? 16 : fit > 256 ? 256 : fit;
}

/* Bytes that conv needs besides its input and output. */
static inline size_t int8_room(int quads)
{
    return (size_t)int8_block(quads) * ((size_t)quads * 4 * sizeof(int16_t) + 8 * sizeof(int32_t));
}

/* Tiles of 2 x 2 outputs that conv_tiles takes together, and the bytes that it needs for them. */
static inline int int8_tiles_block(int cin)
{
    int fit = 8192 / cin / 4 * 4;
    return fit < 8 ? 8 : fit > 32 ? 32 : fit;
}

static inline size_t int8_tiles_room(int cin)
{
    return (size_t)int8_tiles_block(cin) * 16 * ((size_t)cin * sizeof(int16_t) + 8 * sizeof(int32_t));
}

static inline int int8_quads(const window_shape *s) { return (s->k * s->k * s->cin + 3) / 4; }

/* Whether the products equal those that whole numbers must give, at the ends of their range, too. Engines exist whose
 * relaxed dot product does not (V8 before 12.2). */
int int8_dot_works(const int8_dot *dot);

#endif
