/* kernels_ref.c - plain loops: the definition of correct. */
#include <stdint.h>
#include <string.h>

#include "kernels.h"

/* The rectifier of both tables: -0 and NaN become +0, as in f32x4.pmax(0, x). */
static float rectify(float v) { return v > 0 ? v : 0; }

static void conv(float *out, const float *in, const float *w, const float *bias, const window_shape *s)
{
    for (int y = 0; y < s->oh; y++)
    for (int x = 0; x < s->ow; x++)
    for (int o = 0; o < s->cout; o++) {
        float sum = bias[o];
        for (int ky = 0; ky < s->k; ky++)
        for (int kx = 0; kx < s->k; kx++) {
            const float *px = in + ((y * s->stride + ky) * s->w + x * s->stride + kx) * s->cin;
            const float *wp = w + ((o / 4 * s->k + ky) * s->k + kx) * s->cin * 4 + o % 4;
            for (int i = 0; i < s->cin; i++) sum += px[i] * wp[i * 4];
        }
        *out++ = s->relu ? rectify(sum) : sum;
    }
}

static void maxpool(float *out, const float *in, const window_shape *s)
{
    for (int y = 0; y < s->oh; y++)
    for (int x = 0; x < s->ow; x++)
    for (int o = 0; o < s->cout; o++) {
        const float *corner = in + (y * s->stride * s->w + x * s->stride) * s->cin + o;
        float best = *corner;
        for (int ky = 0; ky < s->k; ky++)
        for (int kx = 0; kx < s->k; kx++) {
            float v = corner[(ky * s->w + kx) * s->cin];
            best = best < v ? v : best; /* f32x4.pmax */
        }
        *out++ = best;
    }
}

static void add(float *out, const float *a, const float *b, int n, int relu)
{
    for (int i = 0; i < n; i++) out[i] = relu ? rectify(a[i] + b[i]) : a[i] + b[i];
}

static void mean(float *out, const float *in, int pixels, int c)
{
    for (int o = 0; o < c; o++) {
        float sum = 0;
        for (int i = 0; i < pixels; i++) sum += in[i * c + o];
        out[o] = sum / (float)pixels;
    }
}

const kernels kernels_ref = {conv, maxpool, add, mean};

/* Argument reduction and polynomial as in Cephes' expf (Moshier, 1989). */
float pleura_exp(float x)
{
    if (!(x >= -87)) return 0; /* NaN too */
    if (x > 88) x = 88;
    float scaled = x * 1.44269504f;
    int n = (int)(scaled < 0 ? scaled - 0.5f : scaled + 0.5f);
    float r = x - (float)n * 0.693359375f - (float)n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}
