/* f32_ref.c - the float kernels as plain loops: the definition of correct. */
/* Nested loops over one index space share an indentation. */
/* clang-format off */
#include "nn/int8.h"

#include <float.h>

static void conv(float *out, const float *in, const float *w, const float *bias, const window_shape *s)
{
    for (int y = 0; y < s->oh; y++)
    for (int x = 0; x < s->ow; x++)
    for (int o = 0; o < s->cout; o++) {
        float sum = bias[o];
        for (int ky = 0; ky < s->k; ky++)
        for (int kx = 0; kx < s->k; kx++) {
            const float *px = in + ((y * s->stride + ky) * s->w + x * s->stride + kx) * s->cin;
            const float *wp = w + packed_index(o, (ky * s->k + kx) * s->cin, s->k * s->k * s->cin);
            for (int i = 0; i < s->cin; i++) sum += px[i] * wp[i * 4];
        }
        *out++ = clamp_to_act(sum, s->act);
    }
}

static void depthwise(float *out, const float *in, const float *w, const float *bias, const window_shape *s)
{
    for (int y = 0; y < s->oh; y++)
    for (int x = 0; x < s->ow; x++)
    for (int o = 0; o < s->cout; o++) {
        const float *wp = w + packed_index(o, 0, s->k * s->k);
        float sum = bias[o];
        for (int ky = 0; ky < s->k; ky++)
        for (int kx = 0; kx < s->k; kx++) {
            int row = y * s->stride + ky - s->pad, column = x * s->stride + kx - s->pad;
            if (row < 0 || row >= s->h || column < 0 || column >= s->w) continue;
            sum += in[(row * s->w + column) * s->cin + o] * wp[(ky * s->k + kx) * 4];
        }
        *out++ = clamp_to_act(sum, s->act);
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

static void avgpool(float *out, const float *in, const window_shape *s)
{
    for (int y = 0; y < s->oh; y++)
    for (int x = 0; x < s->ow; x++)
    for (int o = 0; o < s->cout; o++) {
        const float *corner = in + (y * s->stride * s->w + x * s->stride) * s->cin + o;
        float sum = 0;
        for (int ky = 0; ky < s->k; ky++)
        for (int kx = 0; kx < s->k; kx++) sum += corner[(ky * s->w + kx) * s->cin];
        *out++ = sum / (float)(s->k * s->k);
    }
}

static void add(float *out, const float *a, const float *b, int n, activation act)
{
    for (int i = 0; i < n; i++) out[i] = clamp_to_act(a[i] + b[i], act);
}

static void mul(float *out, const float *a, const float *b, int pixels, int c)
{
    for (int i = 0; i < pixels * c; i++) out[i] = a[i] * b[i % c];
}

static float sigmoid(float v) { return 1 / (1 + pleura_exp(-v)); }
static float hard_sigmoid(float v) { return clamp_to_act(v + 3, ACT_RELU6) * (1.0f / 6); }

/* x = 2^n * m with m from sqrt(1/2) to sqrt(2), and ln(m) = 2 * artanh((m - 1) / (m + 1)). */
static float logarithm(float v)
{
    union { float f; int32_t i; } x = {v > FLT_MIN ? v : FLT_MIN};
    int n = (x.i - 0x3f3504f3) >> 23;
    x.i -= n << 23;
    float z = (x.f - 1) / (x.f + 1), w = z * z;
    return (float)n * 0.693147181f + z * ((((w * (2.0f / 9) + 2.0f / 7) * w + 0.4f) * w + 2.0f / 3) * w + 2);
}

static float to_uint8(float v) { return __builtin_rintf(v < 255 ? v : 255); } /* half to even */

/* Abramowitz and Stegun, 7.1.26: at most 1.5e-7 off. */
static float error_function(float v)
{
    float x = v < 0 ? -v : v, t = 1 / (1 + 0.3275911f * x);
    float p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    float y = 1 - p * pleura_exp(-(x * x));
    return v < 0 ? -y : y;
}

static void activate(float *v, int n, activation act)
{
    for (int i = 0; i < n; i++) {
        switch (act) {
        case ACT_SILU: v[i] = v[i] * sigmoid(v[i]); break;
        case ACT_HARDSWISH: v[i] = v[i] * hard_sigmoid(v[i]); break;
        case ACT_HARDSIGMOID: v[i] = hard_sigmoid(v[i]); break;
        case ACT_SIGMOID: v[i] = sigmoid(v[i]); break;
        case ACT_TANH: v[i] = 2 * sigmoid(2 * v[i]) - 1; break;
        case ACT_EXP: v[i] = pleura_exp(v[i]); break;
        case ACT_ERF: v[i] = error_function(v[i]); break;
        case ACT_SQRT: v[i] = __builtin_sqrtf(clamp_to_act(v[i], ACT_RELU)); break;
        case ACT_RECIPROCAL: v[i] = v[i] == 0 ? 0 : 1 / v[i]; break;
        case ACT_LOG: v[i] = logarithm(v[i]); break;
        case ACT_UINT8: v[i] = to_uint8(clamp_to_act(v[i], ACT_RELU)); break;
        default: v[i] = clamp_to_act(v[i], act);
        }
    }
}

static void resize_bilinear(float *out, const float *in, int h, int w, int c, int scale)
{
    for (int y = 0; y < h * scale; y++)
    for (int x = 0; x < w * scale; x++)
    for (int o = 0; o < c; o++) {
        bilinear_point p = bilinear_at(y, x, h, w, scale);
        const float *upper = in + (p.top * w + p.left) * c + o, *lower = in + (p.bottom * w + p.left) * c + o;
        int right = (p.right - p.left) * c;
        float above = upper[0] + p.across * (upper[right] - upper[0]);
        float below = lower[0] + p.across * (lower[right] - lower[0]);
        *out++ = above + p.down * (below - above);
    }
}

static void global_avgpool(float *out, const float *in, int pixels, int c)
{
    for (int o = 0; o < c; o++) {
        float sum = 0;
        for (int i = 0; i < pixels; i++) sum += in[i * c + o];
        out[o] = sum / (float)pixels;
    }
}

/* B' d of a row or column: six values that lie `step` apart. */
static void transform_input(float *t, const float *d, int step)
{
    float d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    float a = d4 - 4 * d2, b = d3 - 4 * d1, c = d4 - d2, e = 2 * (d3 - d1);
    t[0] = 4 * d0 - 5 * d2 + d4;
    t[step] = a + b, t[2 * step] = a - b, t[3 * step] = c + e, t[4 * step] = c - e;
    t[5 * step] = 4 * d1 - 5 * d3 + d5;
}

/* A' m of a row or column: six values that lie `step` apart become four. */
static void transform_output(float *o, const float *m, int step)
{
    float sum = m[step] + m[2 * step], dif = m[step] - m[2 * step];
    float sum2 = m[3 * step] + m[4 * step], dif2 = m[3 * step] - m[4 * step];
    o[0] = m[0] + sum + sum2;
    o[step] = dif + 2 * dif2;
    o[2 * step] = sum + 4 * sum2;
    o[3 * step] = dif + 8 * dif2 + m[5 * step];
}

static void winograd_input(float *out, const float *in, const winograd_shape *s)
{
    float t[TILE_POSITIONS];
    for (int n = 0; n < s->count; n++)
    for (int i = 0; i < s->channels; i++) {
        int y = (s->first + n) / s->across * TILE, x = (s->first + n) % s->across * TILE;
        for (int v = 0; v < TILE_IN; v++)
        for (int u = 0; u < TILE_IN; u++) t[v * TILE_IN + u] = in[((y + v) * s->w + x + u) * s->channels + i];
        for (int u = 0; u < TILE_IN; u++) transform_input(t + u, t + u, TILE_IN);
        for (int v = 0; v < TILE_IN; v++) transform_input(t + v * TILE_IN, t + v * TILE_IN, 1);
        for (int p = 0; p < TILE_POSITIONS; p++) out[(p * s->count + n) * s->channels + i] = t[p];
    }
}

static void winograd_output(float *out, const float *in, const float *bias, const winograd_shape *s)
{
    float t[TILE_POSITIONS];
    for (int n = 0; n < s->count; n++)
    for (int o = 0; o < s->channels; o++) {
        int y = (s->first + n) / s->across * TILE, x = (s->first + n) % s->across * TILE;
        for (int p = 0; p < TILE_POSITIONS; p++) t[p] = in[(p * s->count + n) * s->channels + o];
        for (int u = 0; u < TILE_IN; u++) transform_output(t + u, t + u, TILE_IN);
        for (int v = 0; v < TILE; v++) transform_output(t + v * TILE_IN, t + v * TILE_IN, 1);
        for (int v = 0; v < TILE && y + v < s->oh; v++)
        for (int u = 0; u < TILE && x + u < s->ow; u++) {
            float sum = t[v * TILE_IN + u] + bias[o];
            out[((y + v) * s->ow + x + u) * s->channels + o] = clamp_to_act(sum, s->act);
        }
    }
}

const kernels kernels_ref = {conv, depthwise, maxpool, avgpool, add, mul, activate, resize_bilinear, global_avgpool,
                             winograd_input, winograd_output, &int8_ref};
