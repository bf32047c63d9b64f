/* f32.h - the arithmetic of the network: one table, two implementations.
 *
 * Layout contract, the same for both:
 *   activations  float, HWC, no row padding; channels padded to a multiple of 4 (the input image alone is not)
 *   weights      [cout/4][kh][kw][cin][4], float
 *   bias         [cout]
 * Borders are padded by the caller, so every k x k window lies inside its input; only depthwise windows reach beyond it
 * and leave out what is not there. Lanes run across output channels, never along a sum, so both implementations add in
 * the same order and agree bit for bit. */
#ifndef PLEURA_KERNELS_H
#define PLEURA_KERNELS_H

/* Activations, each as ONNX defines it. Kernels that take one apply ACT_NONE, ACT_RELU and ACT_RELU6 themselves and
 * leave the others to activate(). */
typedef enum {
    ACT_NONE,
    ACT_RELU,
    ACT_RELU6,
    ACT_SILU,
    ACT_HARDSWISH,
    ACT_HARDSIGMOID,
    ACT_SIGMOID,
    ACT_TANH
} activation;

typedef struct {
    int h, w, cin;    /* input, borders included */
    int oh, ow, cout; /* output; cout % 4 == 0 */
    int k, stride;    /* square window */
    activation act;
    int pad; /* depthwise: how far the first window reaches beyond the input, above and to the left */
} window_shape;

/* Winograd's convolution F(4x4, 3x3) (Lavin and Gray, 2016): a tile of 4 x 4 outputs needs 36 products a channel
 * instead of 144. Tiles are numbered row by row; positions in the 6 x 6 plane of a transformed tile likewise, 0..35. */
enum { TILE = 4, TILE_IN = 6, TILE_POSITIONS = 36 };

typedef struct {
    int w;            /* pixels in a row of the bordered input: TILE * across + 2 */
    int across;       /* tiles in a row */
    int oh, ow;       /* output that counts: the last tiles may reach beyond it */
    int first, count; /* the tiles of this call */
    int channels;
    activation act;
} tile_shape;

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
    /* out[h * scale][w * scale][c] between the nearest four pixels of in[h][w][c], whose middles lie on the grid */
    void (*enlarge)(float *out, const float *in, int h, int w, int c, int scale);
    /* out[c] = sum over the pixels of in[pixels][c], divided by pixels; c % 4 == 0 */
    void (*mean)(float *out, const float *in, int pixels, int c);
    /* out[36][count][channels]: the tiles of in[][w][channels], transformed */
    void (*tiles_in)(float *out, const float *in, const tile_shape *s);
    /* out[oh][ow][channels] = bias + in[36][count][channels] transformed back, for the tiles of this call */
    void (*tiles_out)(float *out, const float *in, const float *bias, const tile_shape *s);
    const struct int8_kernels *int8; /* int8.h */
} kernels;

/* Where pixel (y, x) of an enlarged picture lies between the pixels of the small one. */
typedef struct {
    int top, bottom, left, right;
    float down, across; /* 0..1 from top to bottom, from left to right */
} enlarge_place;

static inline enlarge_place enlarge_at(int y, int x, int h, int w, int scale)
{
    float v = ((float)y + 0.5f) / (float)scale - 0.5f, u = ((float)x + 0.5f) / (float)scale - 0.5f;
    enlarge_place p = {.top = v > 0 ? (int)v : 0, .left = u > 0 ? (int)u : 0};
    p.bottom = p.top + (p.top + 1 < h), p.right = p.left + (p.left + 1 < w);
    p.down = v > 0 ? v - (float)p.top : 0, p.across = u > 0 ? u - (float)p.left : 0;
    return p;
}

extern const kernels kernels_ref, kernels_simd;

/* e^x to 2 units in the last place, the same bits everywhere (libm's differ); 0 below -87, largest result at 88. */
float pleura_exp(float x);

#endif
