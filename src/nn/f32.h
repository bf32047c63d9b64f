/* f32.h - the arithmetic of the network: one table, two implementations.
 *
 * Layout contract, the same for both:
 *   activations  float, HWC, no row padding; channels padded to a multiple of 4, except the input image's
 *   weights      float [cout/4][kh][kw][cin][4] (packed_index)
 *   bias         float [cout]
 * The caller pads borders, so every k x k window lies inside its input; only depthwise windows may reach beyond it, and
 * skip what is not there. Vector lanes run across output channels, never along a sum, so both implementations add in
 * the same order and agree bit for bit. */
#ifndef PLEURA_F32_H
#define PLEURA_F32_H

#include <stddef.h>

#include "nn/activation.h"

typedef struct {
    int h, w, cin;    /* input, borders included */
    int oh, ow, cout; /* output; cout % 4 == 0 */
    int k, stride;    /* square window */
    activation act;
    int pad; /* depthwise: rows and columns by which the first window starts outside the input */
} window_shape;

/* Winograd's convolution F(4x4, 3x3) (Lavin and Gray, 2016): a tile of 4 x 4 outputs takes 36 products per channel
 * instead of 144. Tiles are numbered row by row, and so are the 36 positions of a transformed tile. */
enum { TILE = 4, TILE_IN = 6, TILE_POSITIONS = 36 };

typedef struct {
    int w;            /* pixels in a row of the bordered input: TILE * across + 2 */
    int across;       /* tiles in a row */
    int oh, ow;       /* output; the last tiles may reach beyond it */
    int first, count; /* the tiles of this call */
    int channels;
    activation act;
} winograd_shape;

typedef struct {
    /* out[oh][ow][cout] = bias + sum over ky, kx, i of w * in; a dense layer is k = 1 on one pixel */
    void (*conv)(float *out, const float *in, const float *w, const float *bias, const window_shape *s);
    /* out[oh][ow][cout] = bias + sum over ky, kx of w[cout/4][kh][kw][4] * in, channel by channel; cin == cout */
    void (*depthwise)(float *out, const float *in, const float *w, const float *bias, const window_shape *s);
    /* out[oh][ow][cout] = maximum of each window; cin == cout */
    void (*maxpool)(float *out, const float *in, const window_shape *s);
    /* out[oh][ow][cout] = sum of each window, divided by k * k; cin == cout */
    void (*avgpool)(float *out, const float *in, const window_shape *s);
    /* out[n] = a[n] + b[n], n % 4 == 0 */
    void (*add)(float *out, const float *a, const float *b, int n, activation act);
    /* out[pixels][c] = a[pixels][c] * b[c], c % 4 == 0 */
    void (*mul)(float *out, const float *a, const float *b, int pixels, int c);
    /* v[n] = act(v[n]) for every activation, n % 4 == 0 */
    void (*activate)(float *v, int n, activation act);
    /* out[h * scale][w * scale][c] interpolated between the four nearest pixels of in[h][w][c]; half-pixel centres */
    void (*resize_bilinear)(float *out, const float *in, int h, int w, int c, int scale);
    /* out[c] = sum over the pixels of in[pixels][c], divided by pixels; c % 4 == 0 */
    void (*global_avgpool)(float *out, const float *in, int pixels, int c);
    /* out[36][count][channels] = B' d B of each tile d of in[][w][channels] */
    void (*winograd_input)(float *out, const float *in, const winograd_shape *s);
    /* out[oh][ow][channels] = bias + A' m A of each tile m of in[36][count][channels] */
    void (*winograd_output)(float *out, const float *in, const float *bias, const winograd_shape *s);
    const struct int8_kernels *int8; /* int8.h */
} kernels;

/* Index in packed weights: output o, input i of the k * k * cin = `inputs` values of its window in HWC order; of a
 * depthwise layer i is the tap, of k * k. */
static inline size_t packed_index(int o, int i, int inputs)
{
    return ((size_t)(o / 4) * (size_t)inputs + (size_t)i) * 4 + (size_t)(o % 4);
}

/* Applies ACT_RELU or ACT_RELU6; -0 and NaN become +0, as in f32x4.pmax(0, x). */
static inline float clamp_to_act(float v, activation act)
{
    if (act != ACT_RELU && act != ACT_RELU6) return v;
    v = v > 0 ? v : 0;
    return act == ACT_RELU6 && v > 6 ? 6 : v;
}

/* The four pixels of the small image around pixel (y, x) of one `scale` times as large, and the weights between them.
 */
typedef struct {
    int top, bottom, left, right;
    float down, across; /* 0..1 from top to bottom, from left to right */
} bilinear_point;

static inline bilinear_point bilinear_at(int y, int x, int h, int w, int scale)
{
    float v = ((float)y + 0.5f) / (float)scale - 0.5f, u = ((float)x + 0.5f) / (float)scale - 0.5f;
    bilinear_point p = {.top = v > 0 ? (int)v : 0, .left = u > 0 ? (int)u : 0};
    p.bottom = p.top + (p.top + 1 < h), p.right = p.left + (p.left + 1 < w);
    p.down = v > 0 ? v - (float)p.top : 0, p.across = u > 0 ? u - (float)p.left : 0;
    return p;
}

extern const kernels kernels_ref, kernels_simd;

/* e^x within 2 units in the last place, with the same bits everywhere, unlike libm's. 0 below -87; e^88 above 88. */
float pleura_exp(float x);

#endif
