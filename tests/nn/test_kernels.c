/* test_kernels.c - compares the vector kernels with the reference, bit for bit, over a sweep of shapes. The same file
 * runs natively and, exported as test_kernels(), inside WebAssembly. Buffers are exactly as long as their tensors, so
 * that AddressSanitizer notices every access beyond them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nn/fastest.h"
#include "nn/int8.h"

static const kernels *vector_kernels = &kernels_simd; /* what is compared with the reference */
static uint32_t state;
static int shapes, first_difference; /* how many were compared; the first that differed, from 1, or 0 */
static int extreme;                  /* whether int8 activations and weights are 127 and -128, for the largest sums */

static void record(int differs)
{
    shapes++;
    if (differs && !first_difference) first_difference = shapes;
}

/* xorshift32 (Marsaglia, 2003): -2..2, sometimes exactly 0 or -0, whose sign must survive as well. */
static float noise(void)
{
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    if (state % 16 == 0) return state & 16 ? 0.0f : -0.0f;
    return (float)(int32_t)state / 1073741824.0f;
}

static float *noisy(int count)
{
    float *values = malloc((size_t)count * sizeof *values);
    for (int i = 0; i < count; i++) values[i] = noise();
    return values;
}

static int conv_differs(const window_shape *s)
{
    int size = s->oh * s->ow * s->cout;
    float *in = noisy(s->h * s->w * s->cin), *w = noisy(s->k * s->k * s->cin * s->cout), *bias = noisy(s->cout);
    float *plain = noisy(size), *vector = noisy(size);
    kernels_ref.conv(plain, in, w, bias, s);
    vector_kernels->conv(vector, in, w, bias, s);
    int differs = memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    free(in), free(w), free(bias), free(plain), free(vector);
    return differs;
}

typedef void pool(float *out, const float *in, const window_shape *s);

static int pool_differs(pool *plain_pool, pool *vector_pool, const window_shape *s)
{
    int size = s->oh * s->ow * s->cout;
    float *in = noisy(s->h * s->w * s->cin), *plain = noisy(size), *vector = noisy(size);
    plain_pool(plain, in, s);
    vector_pool(vector, in, s);
    int differs = memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    free(in), free(plain), free(vector);
    return differs;
}

static int depthwise_differs(const window_shape *s)
{
    int size = s->oh * s->ow * s->cout;
    float *in = noisy(s->h * s->w * s->cin), *w = noisy(s->k * s->k * s->cin), *bias = noisy(s->cin);
    float *plain = noisy(size), *vector = noisy(size);
    kernels_ref.depthwise(plain, in, w, bias, s);
    vector_kernels->depthwise(vector, in, w, bias, s);
    int differs = memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    free(in), free(w), free(bias), free(plain), free(vector);
    return differs;
}

/* The kernels that go pixel by pixel, on the input of the shape; values up to 512 for the activations. */
static int pixels_differ(const window_shape *s)
{
    enum { SCALE = 2 };
    int pixels = s->h * s->w, size = pixels * s->cin, differs = 0, large = size * SCALE * SCALE;
    float *a = noisy(size), *b = noisy(size), *plain = noisy(large), *vector = noisy(large);
    kernels_ref.global_avgpool(plain, a, pixels, s->cin);
    vector_kernels->global_avgpool(vector, a, pixels, s->cin);
    differs |= memcmp(plain, vector, (size_t)s->cin * sizeof *plain) != 0;
    kernels_ref.add(plain, a, b, size, s->act);
    vector_kernels->add(vector, a, b, size, s->act);
    differs |= memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    kernels_ref.mul(plain, a, b, pixels, s->cin);
    vector_kernels->mul(vector, a, b, pixels, s->cin);
    differs |= memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    kernels_ref.resize_bilinear(plain, a, s->h, s->w, s->cin, SCALE);
    vector_kernels->resize_bilinear(vector, a, s->h, s->w, s->cin, SCALE);
    differs |= memcmp(plain, vector, (size_t)large * sizeof *plain) != 0;
    for (activation act = ACT_NONE; act < ACT_COUNT; act++) {
        for (int i = 0; i < size; i++) plain[i] = vector[i] = a[i] * (i % 3 ? 1.0f : 256.0f);
        plain[0] = vector[0] = 0.5f, plain[1] = vector[1] = 1.5f; /* halves, which round to even */
        kernels_ref.activate(plain, size, act);
        vector_kernels->activate(vector, size, act);
        differs |= memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    }
    free(a), free(b), free(plain), free(vector);
    return differs;
}

static int winograd_differs(const winograd_shape *s, int tiles)
{
    int input = (tiles / s->across * TILE + 2) * s->w * s->channels, planes = TILE_POSITIONS * s->count * s->channels;
    int size = s->oh * s->ow * s->channels;
    float *in = noisy(input), *plain = noisy(planes), *vector = noisy(planes), *bias = noisy(s->channels);
    kernels_ref.winograd_input(plain, in, s);
    vector_kernels->winograd_input(vector, in, s);
    int differs = memcmp(plain, vector, (size_t)planes * sizeof *plain) != 0;
    float *out = calloc((size_t)size, sizeof *out), *out_vector = calloc((size_t)size, sizeof *out);
    kernels_ref.winograd_output(out, plain, bias, s);
    vector_kernels->winograd_output(out_vector, plain, bias, s);
    differs |= memcmp(out, out_vector, (size_t)size * sizeof *out) != 0;
    free(in), free(plain), free(vector), free(bias), free(out), free(out_vector);
    return differs;
}

/* int8 activations, 0..127; the two ends are more frequent than chance would make them. */
static uint8_t *noisy_int8(int count)
{
    uint8_t *values = malloc((size_t)count);
    for (int i = 0; i < count; i++) {
        noise();
        int end = !(state >> 8 & 3), high = extreme || state >> 10 & 1;
        values[i] = (uint8_t)(extreme || end ? 127 * high : (int)(state >> 16 & 127));
    }
    return values;
}

typedef void int8_layer(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s,
                        const int8_kernels *k);

static void int8_conv(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, const int8_kernels *k)
{
    void *workspace = malloc(int8_workspace(int8_quads(&s->window)));
    k->conv(out, in, w, s, workspace);
    free(workspace);
}

/* Dot products of a panel that is not wide. Only relaxed SIMD has fast ones (int8_relaxed.c), so these are plain. */
static void narrow_products(int32_t *sums, const void *panel, const int8_t *w0, const int8_t *w1, int quads, int pixels)
{
    const uint8_t *values = panel;
    for (int p = 0; p < pixels; p++)
        for (int o = 0; o < 8; o++) {
            int32_t sum = 0;
            for (int i = 0; i < 4 * quads; i++)
                sum += (o < 4 ? w0 : w1)[int8_packed_index(o % 4, i, quads)] * values[p * 4 * quads + i];
            sums[p * 8 + o] = sum;
        }
}
static const int8_dot narrow_dot = {narrow_products, 0};

/* The path that relaxed SIMD takes: windows are packed as bytes, or read in place where they are contiguous. */
static void int8_conv_narrow(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s,
                             const int8_kernels *k)
{
    int8_shape narrow = *s;
    narrow.dot = &narrow_dot;
    int8_conv(out, in, w, &narrow, k);
}

/* G g G' of each window without its divisors, packed as int8.h says; the caller frees it. */
static int16_t *winograd_weights(const int8_t *weight, int cin, int cout)
{
    static const int g[6][3] = {{1, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {1, -2, 4}, {0, 0, 1}};
    int16_t *transformed = malloc((size_t)(36 * cin * cout) * sizeof *transformed);
    for (int p = 0; p < 36; p++)
        for (int o = 0; o < cout; o++)
            for (int i = 0; i < cin; i++) {
                int sum = 0;
                for (int n = 0; n < 9; n++)
                    sum += g[p / 6][n / 3] * g[p % 6][n % 3] * weight[int8_packed_index(o, n * cin + i, 9 * cin / 4)];
                transformed[p * cin * cout + (int)int8_packed_index(o, i, cin / 4)] = (int16_t)sum;
            }
    return transformed;
}

static void int8_winograd(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s,
                          const int8_kernels *k)
{
    int16_t *winograd = winograd_weights(w->weight, s->window.cin, s->window.cout);
    int8_weights transformed = {w->weight, winograd, w->bias, w->multiplier};
    void *workspace = malloc(int8_winograd_workspace(s->window.cin));
    k->conv_winograd(out, in, &transformed, s, workspace);
    free(workspace), free(winograd);
}

static void int8_depthwise(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s,
                           const int8_kernels *k)
{
    k->depthwise(out, in, w, s);
}

/* Both number types of output. weights: how many one output channel has. */
static int int8_differs(int8_layer *layer, int weights, const window_shape *v)
{
    int size = v->oh * v->ow * v->cout, differs = 0;
    uint8_t *in = noisy_int8(v->h * v->w * v->cin), *raw = noisy_int8(weights * v->cout);
    int8_t *weight = malloc((size_t)(weights * v->cout));
    int32_t *bias = malloc((size_t)v->cout * sizeof *bias);
    float *multiplier = noisy(v->cout), *plain = malloc((size_t)size * sizeof *plain),
          *vector = malloc((size_t)size * sizeof *vector);
    for (int i = 0; i < weights * v->cout; i++)
        noise(), weight[i] = (int8_t)(state & 64 && !extreme ? raw[i] : -1 - raw[i]);
    for (int i = 0; i < v->cout; i++)
        bias[i] = (int32_t)(multiplier[i] * 1000), multiplier[i] = (2.5f + multiplier[i]) / 512;
    for (int to_int8 = 0; to_int8 < 2; to_int8++) {
        int8_weights w = {weight, NULL, bias, multiplier};
        int8_shape s = {.window = *v,
                        .dot = &vector_kernels->int8->dot,
                        .to_int8 = to_int8,
                        .zero_point = 60,
                        .min = v->act ? 60 : 0,
                        .max = v->act == ACT_RELU6 ? 90 : 127};
        layer(plain, in, &w, &s, &int8_ref);
        layer(vector, in, &w, &s, vector_kernels->int8);
        differs |= memcmp(plain, vector, (size_t)size * (to_int8 ? 1 : sizeof *plain)) != 0;
    }
    free(in), free(raw), free(weight), free(bias), free(multiplier), free(plain), free(vector);
    return differs;
}

static int int8_pool_differs(const window_shape *s)
{
    int size = s->oh * s->ow * s->cout;
    uint8_t *in = noisy_int8(s->h * s->w * s->cin), *plain = noisy_int8(size), *vector = noisy_int8(size);
    int8_ref.maxpool(plain, in, s);
    vector_kernels->int8->maxpool(vector, in, s);
    int differs = memcmp(plain, vector, (size_t)size) != 0;
    free(in), free(plain), free(vector);
    return differs;
}

/* The int8 kernels that go value by value. quantise takes any count: here one that is not a multiple of 4. */
static int int8_pixels_differ(const window_shape *s)
{
    int pixels = s->h * s->w, size = pixels * s->cin, differs = 0;
    float *in = noisy(size), *plain = noisy(size), *vector = noisy(size);
    uint8_t *a = noisy_int8(size), *b = noisy_int8(size), *c = noisy_int8(size), *d = noisy_int8(size);
    int8_sum sum = {20000, 9000, -1000000, 14, s->act ? 60 : 0, s->act == ACT_RELU6 ? 90 : 127};
    int8_ref.add(c, a, b, size, &sum);
    vector_kernels->int8->add(d, a, b, size, &sum);
    differs |= memcmp(c, d, (size_t)size) != 0;
    in[0] = 1e30f, in[1] = -1e30f, in[2] = 0.5f, in[3] = 1.5f; /* out of range; halves, which round to even */
    int8_ref.quantise(c, in, size - 1, s->act ? 1 : 50.7f, 64);
    vector_kernels->int8->quantise(d, in, size - 1, s->act ? 1 : 50.7f, 64);
    differs |= memcmp(c, d, (size_t)size - 1) != 0;
    int8_ref.dequantise(plain, a, size, 0.037f, 64);
    vector_kernels->int8->dequantise(vector, a, size, 0.037f, 64);
    differs |= memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    int8_ref.global_avgpool(plain, a, pixels, s->cin, 0.037f, 64);
    vector_kernels->int8->global_avgpool(vector, a, pixels, s->cin, 0.037f, 64);
    differs |= memcmp(plain, vector, (size_t)s->cin * sizeof *plain) != 0;
    free(in), free(plain), free(vector), free(a), free(b), free(c), free(d);
    return differs;
}

static window_shape shape(int k, int stride, int h, int w, int cin, int cout, activation act)
{
    return (window_shape){h, w, cin, (h - k) / stride + 1, (w - k) / stride + 1, cout, k, stride, act, 0};
}

/* The same output from a smaller input, whose windows reach `pad` beyond it above and to the left, `pad_end` below and
 * to the right. */
static window_shape padded(window_shape s, int pad, int pad_end)
{
    s.h -= pad + pad_end, s.w -= pad + pad_end, s.pad = pad;
    return s;
}

/* Windows of a cin that is not a multiple of 4 are padded to quads; the others may be read in place. */
static void sweep_conv(int k, int stride, int size, int cout, activation act)
{
    static const int cins[] = {1, 3, 4, 5, 6, 7, 8, 9, 12, 16};
    for (size_t i = 0; i < sizeof cins / sizeof *cins; i++) {
        window_shape s = shape(k, stride, size, size + 1, cins[i], cout, act);
        record(conv_differs(&s));
        record(int8_differs(int8_conv, int8_quads(&s) * 4, &s));
        if (act == ACT_NONE) record(int8_differs(int8_conv_narrow, int8_quads(&s) * 4, &s)); /* packing knows no act */
    }
}

/* The layers that keep their channels. */
static void sweep_channels(int k, int stride, int size, int c, activation act)
{
    window_shape s = shape(k, stride, size, size + 1, c, c, act);
    for (int pad = 0; pad < k; pad++) {
        window_shape bare = padded(s, pad, (pad + size) % k);
        if (bare.h > 0 && bare.w > 0) record(depthwise_differs(&bare));
    }
    record(int8_differs(int8_depthwise, k * k, &s));
    record(int8_pool_differs(&s));
    record(int8_pixels_differ(&s));
    record(pool_differs(kernels_ref.maxpool, vector_kernels->maxpool, &s));
    record(pool_differs(kernels_ref.avgpool, vector_kernels->avgpool, &s));
    record(pixels_differ(&s));
}

static void sweep_windows(void)
{
    for (int k = 1; k <= 5; k++)
        for (int stride = 1; stride <= 2; stride++)
            for (int size = k; size <= k + 6; size += 2)
                for (int channels = 4; channels <= 24; channels += 4)
                    for (activation act = ACT_NONE; act <= ACT_RELU6; act++) {
                        sweep_conv(k, stride, size, channels, act);
                        sweep_channels(k, stride, size, channels, act);
                    }
}

/* Convolutions so deep that their 150 pixels go through in blocks of 64, 64 and 22. */
static void sweep_blocks(void)
{
    for (int k = 1; k <= 2; k++)
        for (int missing = 0; missing < 2; missing++) {
            window_shape s = shape(k, 1, 9 + k, 14 + k, 1024 / (k * k) - missing, 12, ACT_NONE);
            record(int8_differs(int8_conv, int8_quads(&s) * 4, &s));
            record(int8_differs(int8_conv_narrow, int8_quads(&s) * 4, &s));
        }
}

/* Enough pixels and channels for every tile of every vector width, and what is left over. */
static void sweep_wide(void)
{
    for (int cout = 4; cout <= 76; cout += 4)
        for (int size = 3; size <= 9; size += 3) {
            window_shape s = shape(size / 3, 1, size, size + 2, 8, cout, (activation)(cout % 3));
            record(conv_differs(&s));
            sweep_channels(3, 1 + cout / 4 % 2, size + 4, cout, (activation)(cout % 3));
        }
    window_shape dense = shape(1, 1, 1, 1, 100, 76, ACT_NONE), large = shape(8, 1, 12, 12, 20, 20, ACT_NONE);
    window_shape deep = shape(3, 2, 7, 7, 460, 20, ACT_RELU6); /* its windows are larger than a panel */
    record(conv_differs(&dense));
    record(conv_differs(&deep));
    record(depthwise_differs(&large)); /* more taps than registers hold */
}

static void sweep_winograd(void)
{
    for (int across = 1; across <= 3; across++)
        for (int down = 1; down <= 2; down++)
            for (int excess = 0; excess < TILE; excess++) /* rows of the last tiles that lie beyond the output */
                for (int channels = 4; channels <= 28; channels += 4) {
                    int tiles = across * down, count = shapes % tiles + 1;
                    winograd_shape s = {.w = TILE * across + 2,
                                        .across = across,
                                        .oh = TILE * down - excess,
                                        .ow = TILE * across - (excess + 1) % TILE,
                                        .first = shapes % (tiles - count + 1),
                                        .count = count,
                                        .channels = channels,
                                        .act = (activation)(excess % 3)};
                    record(winograd_differs(&s, tiles));
                }
}

static void sweep_int8_winograd(void)
{
    for (int h = 1; h <= 14; h += 3)
        for (int w = 1; w <= 14; w++)
            for (int channels = 4; channels <= 20; channels += 8) { /* cin is at least 8 */
                window_shape s = {.h = (h + 3) / 4 * 4 + 2,
                                  .w = (w + 3) / 4 * 4 + 2,
                                  .cin = channels + 4 + 4 * (w % 3),
                                  .oh = h,
                                  .ow = w,
                                  .cout = channels + 4 * (h % 2),
                                  .k = 3,
                                  .stride = 1,
                                  .act = (activation)(w % 3)};
                record(int8_differs(int8_winograd, 9 * s.cin, &s));
            }
    window_shape deep = shape(3, 1, 6, 6, (INT8_MAX_WINOGRAD_SUM - 1) / (127 * 128 * 9) / 4 * 4, 4, ACT_NONE);
    extreme = 1;
    record(int8_differs(int8_winograd, 9 * deep.cin, &deep));
    extreme = 0;
}

#ifdef __wasm__
__attribute__((export_name("test_kernels")))
#endif
/* 0 when all shapes agree, else the number of the first that does not, from 1. *count: how many there are. */
int test_kernels(int *count)
{
    state = 2463534242;
    shapes = first_difference = 0;
    sweep_windows();
    sweep_blocks();
    sweep_wide();
    sweep_winograd();
    sweep_int8_winograd();
    record(!int8_dot_works(&vector_kernels->int8->dot));
    record(!int8_dot_works(&narrow_dot));
    if (count) *count = shapes;
    return first_difference;
}

#ifndef __wasm__
#include <math.h>
#include <stdio.h>

/* The largest relative error of pleura_exp, against exp in double precision, over its range. */
static double worst_exp(void)
{
    double worst = 0;
    for (float x = -87; x <= 87; x += 0.0137f) {
        double error = fabs(pleura_exp(x) / exp(x) - 1);
        if (error > worst) worst = error;
    }
    return worst;
}

/* The largest error of ACT_LOG, against log in double precision: relative to the logarithm, or to 1 near its zero. */
static double worst_log(void)
{
    double worst = 0;
    for (double x = 1.2e-38; x < 3e38; x *= 1.00137) {
        float value[4] = {(float)x};
        double expected = log(value[0]), size = fabs(expected);
        kernels_ref.activate(value, 4, ACT_LOG);
        double error = fabs(value[0] - expected) / (size > 1 ? size : 1);
        if (error > worst) worst = error;
    }
    return worst;
}

/* Compares one table. Returns whether any shape differs. */
static int compare(const char *name, const kernels *table)
{
    vector_kernels = table;
    int count, first = test_kernels(&count);
    if (first) printf("kernels, %s: shape %d of %d differs\n", name, first, count);
    else printf("kernels, %s: %d shapes agree bit for bit\n", name, count);
    return first != 0;
}

int main(void)
{
    int differ = compare("128 bits", &kernels_simd);
#ifdef PLEURA_X86
    if (__builtin_cpu_supports("avx2")) differ |= compare("AVX2", &kernels_avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        differ |= compare("AVX-512", &kernels_avx512);
#endif
    double error = worst_exp();
    int edges = pleura_exp(0) == 1 && pleura_exp(-1000) == 0 && pleura_exp(NAN) == 0 && pleura_exp(1000) < INFINITY;
    double log_error = worst_log();
    printf("exp is within %.1e, log within %.1e\n", error, log_error);
    return differ || error > 2.4e-7 || log_error > 1.2e-7 || !edges;
}
#endif
