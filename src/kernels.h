/* kernels.h - the arithmetic of the network: one table, two implementations.
 *
 * Layout contract, the same for both:
 *   activations  float, HWC, no row padding; channels padded to a multiple of 4 (the input image alone is not)
 *   weights      [cout/4][kh][kw][cin][4], float
 *   bias         [cout]
 * Borders are padded by the caller, so every k x k window lies inside its input. Lanes run across output channels,
 * never along a sum, so both implementations add in the same order and agree bit for bit. */
#ifndef PLEURA_KERNELS_H
#define PLEURA_KERNELS_H

typedef struct {
    int h, w, cin;    /* input, borders included */
    int oh, ow, cout; /* output; cout % 4 == 0 */
    int k, stride;    /* square window */
    int relu;         /* clamp at zero at the end */
} window_shape;

typedef struct {
    /* out[oh][ow][cout] = bias + sum over ky, kx, i of w * in; a dense layer is k = 1 on one pixel */
    void (*conv)(float *out, const float *in, const float *w, const float *bias, const window_shape *s);
    /* out[oh][ow][cout] = maximum of each window; cin == cout */
    void (*maxpool)(float *out, const float *in, const window_shape *s);
    /* out[n] = a[n] + b[n], n % 4 == 0 */
    void (*add)(float *out, const float *a, const float *b, int n, int relu);
    /* out[c] = sum over the pixels of in[pixels][c], divided by pixels; c % 4 == 0 */
    void (*mean)(float *out, const float *in, int pixels, int c);
} kernels;

extern const kernels kernels_ref, kernels_simd;

/* e^x to 2 units in the last place, the same bits everywhere (libm's differ); 0 below -87, largest result at 88. */
float pleura_exp(float x);

#endif
