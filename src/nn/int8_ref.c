/* int8_ref.c - the int8 kernels as plain loops: the definition of correct. */
/* Nested loops over one index space share an indentation. */
/* clang-format off */
#include "nn/int8.h"

#include <math.h>

static int clamp(int v, int min, int max) { return v < min ? min : v > max ? max : v; }

static void put(void *out, int index, int32_t sum, float multiplier, const int8_shape *s)
{
    float v = (float)sum * multiplier;
    if (s->to_int8) ((uint8_t *)out)[index] = (uint8_t)clamp((int)rintf(v) + s->zero_point, s->min, s->max);
    else ((float *)out)[index] = clamp_to_act(v, s->window.act);
}

static void conv(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, void *workspace)
{
    const window_shape *v = &s->window;
    int quads = int8_quads(v), index = 0;
    (void)workspace;
    for (int y = 0; y < v->oh; y++)
    for (int x = 0; x < v->ow; x++)
    for (int o = 0; o < v->cout; o++) {
        int32_t sum = w->bias[o];
        int n = 0;
        for (int ky = 0; ky < v->k; ky++)
        for (int i = 0; i < v->k * v->cin; i++, n++)
            sum += w->weight[int8_packed_index(o, n, quads)] *
                in[((y * v->stride + ky) * v->w + x * v->stride) * v->cin + i];
        put(out, index++, sum, w->multiplier[o], s);
    }
}

static void conv_winograd(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, void *workspace)
{
    conv(out, in, w, s, workspace); /* integers: the sums are the same */
}

static void depthwise(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s)
{
    const window_shape *v = &s->window;
    int index = 0;
    for (int y = 0; y < v->oh; y++)
    for (int x = 0; x < v->ow; x++)
    for (int o = 0; o < v->cout; o++) {
        const int8_t *weight = w->weight + packed_index(o, 0, v->k * v->k);
        int32_t sum = w->bias[o];
        for (int ky = 0; ky < v->k; ky++)
        for (int kx = 0; kx < v->k; kx++)
            sum += weight[(ky * v->k + kx) * 4] *
                in[((y * v->stride + ky) * v->w + x * v->stride + kx) * v->cin + o];
        put(out, index++, sum, w->multiplier[o], s);
    }
}

static void maxpool(uint8_t *out, const uint8_t *in, const window_shape *s)
{
    for (int y = 0; y < s->oh; y++)
    for (int x = 0; x < s->ow; x++)
    for (int o = 0; o < s->cout; o++) {
        uint8_t best = 0;
        for (int ky = 0; ky < s->k; ky++)
        for (int kx = 0; kx < s->k; kx++) {
            uint8_t v = in[((y * s->stride + ky) * s->w + x * s->stride + kx) * s->cin + o];
            best = best < v ? v : best;
        }
        *out++ = best;
    }
}

static void add(uint8_t *out, const uint8_t *a, const uint8_t *b, int n, const int8_sum *s)
{
    for (int i = 0; i < n; i++)
        out[i] = (uint8_t)clamp((a[i] * s->factor_a + b[i] * s->factor_b + s->offset) >> s->shift, s->min, s->max);
}

static void quantise(uint8_t *out, const float *in, int n, float inverse_scale, int zero_point)
{
    for (int i = 0; i < n; i++) {
        float v = in[i] * inverse_scale;
        v = v > -256 ? v : -256, v = v < 256 ? v : 256;
        out[i] = (uint8_t)clamp((int)rintf(v) + zero_point, 0, 127);
    }
}

static void dequantise(float *out, const uint8_t *in, int n, float scale, int zero_point)
{
    for (int i = 0; i < n; i++) out[i] = scale * (float)(in[i] - zero_point);
}

static void global_avgpool(float *out, const uint8_t *in, int pixels, int c, float scale, int zero_point)
{
    for (int o = 0; o < c; o++) {
        int32_t sum = -pixels * zero_point;
        for (int i = 0; i < pixels; i++) sum += in[i * c + o];
        out[o] = scale * ((float)sum / (float)pixels);
    }
}

const int8_kernels int8_ref = {{NULL, 0}, conv, conv_winograd, depthwise, maxpool, add, quantise, dequantise,
                               global_avgpool};

int int8_dot_works(const int8_dot *dot)
{
    enum { PIXELS = 4, QUADS = 3, SIZE = QUADS * 4 };
    static const int8_t weight_range[] = {-128, 127, -127, 0, 1, -1, 64};
    static const uint8_t value_range[] = {127, 0, 1, 127, 126};
    int8_t weight[2 * QUADS * 16];
    uint8_t bytes[PIXELS * SIZE];
    int16_t words[PIXELS * SIZE];
    int32_t sums[PIXELS * 8];
    for (int i = 0; i < 2 * QUADS * 16; i++) weight[i] = i < 8 ? -128 : weight_range[i % 7];
    for (int i = 0; i < PIXELS * SIZE; i++) {
        bytes[i] = i < SIZE ? 127 : value_range[i % 5];
        words[(i % SIZE / 4 * PIXELS + i / SIZE) * 4 + i % 4] = bytes[i];
    }
    dot->run(sums, dot->wide ? (const void *)words : bytes, weight, weight + QUADS * 16, QUADS, PIXELS);
    for (int p = 0; p < PIXELS; p++)
    for (int o = 0; o < 8; o++) {
        int32_t sum = 0;
        for (int i = 0; i < SIZE; i++) sum += weight[int8_packed_index(o, i, QUADS)] * bytes[p * SIZE + i];
        if (sums[p * 8 + o] != sum) return 0;
    }
    return 1;
}
