/* test_kernels.c - the vector kernels against the plain ones, bit for bit, over a sweep of shapes; the same file runs
 * natively and, exported as test_kernels(), inside WebAssembly. Buffers are exactly as long as their tensors. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nn/int8.h"

static uint32_t state;

/* xorshift32 (Marsaglia, 2003): -2..2, now and then exactly 0 or -0, whose sign must survive as well. */
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
    kernels_simd.conv(vector, in, w, bias, s);
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
    kernels_simd.depthwise(vector, in, w, bias, s);
    int differs = memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    free(in), free(w), free(bias), free(plain), free(vector);
    return differs;
}

/* The kernels that go pixel by pixel, on the shape's input; values up to 128 for those that take exponentials. */
static int pixels_differ(const window_shape *s)
{
    enum { SCALE = 2 };
    int pixels = s->h * s->w, size = pixels * s->cin, differs = 0, large = size * SCALE * SCALE;
    float *a = noisy(size), *b = noisy(size), *plain = noisy(large), *vector = noisy(large);
    kernels_ref.global_avgpool(plain, a, pixels, s->cin);
    kernels_simd.global_avgpool(vector, a, pixels, s->cin);
    differs |= memcmp(plain, vector, (size_t)s->cin * sizeof *plain) != 0;
    kernels_ref.add(plain, a, b, size, s->act);
    kernels_simd.add(vector, a, b, size, s->act);
    differs |= memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    kernels_ref.mul(plain, a, b, pixels, s->cin);
    kernels_simd.mul(vector, a, b, pixels, s->cin);
    differs |= memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    kernels_ref.resize_bilinear(plain, a, s->h, s->w, s->cin, SCALE);
    kernels_simd.resize_bilinear(vector, a, s->h, s->w, s->cin, SCALE);
    differs |= memcmp(plain, vector, (size_t)large * sizeof *plain) != 0;
    for (activation act = ACT_NONE; act <= ACT_TANH; act++) {
        for (int i = 0; i < size; i++) plain[i] = vector[i] = a[i] * (i % 3 ? 1.0f : 64.0f);
        kernels_ref.activate(plain, size, act);
        kernels_simd.activate(vector, size, act);
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
    kernels_simd.winograd_input(vector, in, s);
    int differs = memcmp(plain, vector, (size_t)planes * sizeof *plain) != 0;
    float *out = calloc((size_t)size, sizeof *out), *out_vector = calloc((size_t)size, sizeof *out);
    kernels_ref.winograd_output(out, plain, bias, s);
    kernels_simd.winograd_output(out_vector, plain, bias, s);
    differs |= memcmp(out, out_vector, (size_t)size * sizeof *out) != 0;
    free(in), free(plain), free(vector), free(bias), free(out), free(out_vector);
    return differs;
}

/* Bytes 0..127, at both ends more often than chance has it. */
static uint8_t *noisy_bytes(int count)
{
    uint8_t *bytes = malloc((size_t)count);
    for (int i = 0; i < count; i++) {
        noise();
        bytes[i] = (uint8_t)(state >> 8 & 3 ? state >> 16 & 127 : state >> 10 & 1 ? 127 : 0);
    }
    return bytes;
}

typedef void small_layer(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s,
                         const int8_kernels *k);

static void small_conv(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s, const int8_kernels *k)
{
    void *workspace = malloc(int8_workspace(int8_quads(&s->window)));
    k->conv(out, in, w, s, &k->dot, workspace);
    free(workspace);
}

/* 2 G g (2 G)' as int8.h has it, window by window; the caller frees it. */
static int16_t *winograd_weights(const int8_t *weight, int cin, int cout)
{
    static const int g[4][3] = {{2, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 2}};
    int16_t *transformed = malloc((size_t)(16 * cin * cout) * sizeof *transformed);
    for (int p = 0; p < 16; p++)
        for (int o = 0; o < cout; o++)
            for (int i = 0; i < cin; i++) {
                int sum = 0;
                for (int n = 0; n < 9; n++)
                    sum += g[p / 4][n / 3] * g[p % 4][n % 3] * weight[int8_packed_index(o, n * cin + i, 9 * cin / 4)];
                transformed[p * cin * cout + (int)int8_packed_index(o, i, cin / 4)] = (int16_t)sum;
            }
    return transformed;
}

static void small_winograd(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s,
                           const int8_kernels *k)
{
    int16_t *winograd = winograd_weights(w->weight, s->window.cin, s->window.cout);
    int8_weights own = {w->weight, winograd, w->bias, w->multiplier};
    void *workspace = malloc(int8_winograd_workspace(s->window.cin));
    k->conv_winograd(out, in, &own, s, workspace);
    free(workspace), free(winograd);
}

static void small_depthwise(void *out, const uint8_t *in, const int8_weights *w, const int8_shape *s,
                            const int8_kernels *k)
{
    k->depthwise(out, in, w, s);
}

/* weights: of one output channel. Both kinds of output. */
static int small_differs(small_layer *layer, int weights, const window_shape *v)
{
    int size = v->oh * v->ow * v->cout, differs = 0;
    uint8_t *in = noisy_bytes(v->h * v->w * v->cin), *raw = noisy_bytes(weights * v->cout);
    int8_t *weight = malloc((size_t)(weights * v->cout));
    int32_t *bias = malloc((size_t)v->cout * sizeof *bias);
    float *multiplier = noisy(v->cout), *plain = malloc((size_t)size * sizeof *plain),
          *vector = malloc((size_t)size * sizeof *vector);
    for (int i = 0; i < weights * v->cout; i++) noise(), weight[i] = (int8_t)(state & 64 ? raw[i] : -1 - raw[i]);
    for (int i = 0; i < v->cout; i++)
        bias[i] = (int32_t)(multiplier[i] * 1000), multiplier[i] = (2.5f + multiplier[i]) / 512;
    for (int bytes = 0; bytes < 2; bytes++) {
        int8_weights w = {weight, NULL, bias, multiplier};
        int8_shape s = {*v, bytes, 60, v->act ? 60 : 0, v->act == ACT_RELU6 ? 90 : 127};
        layer(plain, in, &w, &s, &int8_ref);
        layer(vector, in, &w, &s, &int8_simd);
        differs |= memcmp(plain, vector, (size_t)size * (bytes ? 1 : sizeof *plain)) != 0;
    }
    free(in), free(raw), free(weight), free(bias), free(multiplier), free(plain), free(vector);
    return differs;
}

static int small_pool_differs(const window_shape *s)
{
    int size = s->oh * s->ow * s->cout;
    uint8_t *in = noisy_bytes(s->h * s->w * s->cin), *plain = noisy_bytes(size), *vector = noisy_bytes(size);
    int8_ref.maxpool(plain, in, s);
    int8_simd.maxpool(vector, in, s);
    int differs = memcmp(plain, vector, (size_t)size) != 0;
    free(in), free(plain), free(vector);
    return differs;
}

/* The byte kernels that go value by value; one value fewer where whole vectors are not asked for. */
static int bytes_differ(const window_shape *s)
{
    int pixels = s->h * s->w, size = pixels * s->cin, differs = 0;
    float *in = noisy(size), *plain = noisy(size), *vector = noisy(size);
    uint8_t *a = noisy_bytes(size), *b = noisy_bytes(size), *c = noisy_bytes(size), *d = noisy_bytes(size);
    int8_sum sum = {20000, 9000, -1000000, 14, s->act ? 60 : 0, s->act == ACT_RELU6 ? 90 : 127};
    int8_ref.add(c, a, b, size, &sum);
    int8_simd.add(d, a, b, size, &sum);
    differs |= memcmp(c, d, (size_t)size) != 0;
    in[0] = 1e30f, in[1] = -1e30f, in[2] = 0.5f, in[3] = 1.5f; /* too large; halves, to the even neighbour */
    int8_ref.quantise(c, in, size - 1, s->act ? 1 : 50.7f, 64);
    int8_simd.quantise(d, in, size - 1, s->act ? 1 : 50.7f, 64);
    differs |= memcmp(c, d, (size_t)size - 1) != 0;
    int8_ref.dequantise(plain, a, size, 0.037f, 64);
    int8_simd.dequantise(vector, a, size, 0.037f, 64);
    differs |= memcmp(plain, vector, (size_t)size * sizeof *plain) != 0;
    int8_ref.global_avgpool(plain, a, pixels, s->cin, 0.037f, 64);
    int8_simd.global_avgpool(vector, a, pixels, s->cin, 0.037f, 64);
    differs |= memcmp(plain, vector, (size_t)s->cin * sizeof *plain) != 0;
    free(in), free(plain), free(vector), free(a), free(b), free(c), free(d);
    return differs;
}

static window_shape shape(int k, int stride, int h, int w, int cin, int cout, activation act)
{
    return (window_shape){h, w, cin, (h - k) / stride + 1, (w - k) / stride + 1, cout, k, stride, act, 0};
}

/* The same on an input without its border: `pad` above and to the left, one more or less on the other sides. */
static window_shape padded(window_shape s, int pad, int after)
{
    s.h -= pad + after, s.w -= pad + after, s.pad = pad;
    return s;
}

#ifdef __wasm__
__attribute__((export_name("test_kernels")))
#endif
/* 0 when all agree, else the 1-based number of the first shape that does not; *count: how many there are. */
int test_kernels(int *count)
{
    int number = 0, first = 0;
    state = 2463534242;
    for (int k = 1; k <= 5; k++)
        for (int stride = 1; stride <= 2; stride++)
            for (int size = k; size <= k + 6; size += 2)
                for (int cout = 4; cout <= 24; cout += 4)
                    for (activation act = ACT_NONE; act <= ACT_RELU6; act++) {
                        for (int cin = 1; cin <= 9; cin += 2) {
                            window_shape s = shape(k, stride, size, size + 1, cin, cout, act);
                            if (number++, !first && conv_differs(&s)) first = number;
                            if (number++, !first && small_differs(small_conv, int8_quads(&s) * 4, &s)) first = number;
                        }
                        window_shape s = shape(k, stride, size, size + 1, cout, cout, act);
                        for (int pad = 0; pad < k; pad++) {
                            window_shape bare = padded(s, pad, (pad + size) % k);
                            if (bare.h < 1 || bare.w < 1) continue;
                            if (number++, !first && depthwise_differs(&bare)) first = number;
                        }
                        if (number++, !first && small_differs(small_depthwise, k * k, &s)) first = number;
                        if (number++, !first && small_pool_differs(&s)) first = number;
                        if (number++, !first && bytes_differ(&s)) first = number;
                        if (number++, !first && pool_differs(kernels_ref.maxpool, kernels_simd.maxpool, &s))
                            first = number;
                        if (number++, !first && pool_differs(kernels_ref.avgpool, kernels_simd.avgpool, &s))
                            first = number;
                        if (number++, !first && pixels_differ(&s)) first = number;
                    }
    for (int across = 1; across <= 3; across++)
        for (int down = 1; down <= 2; down++)
            for (int less = 0; less < TILE; less++) /* outputs that the last tiles have too many */
                for (int channels = 4; channels <= 12; channels += 4) {
                    int tiles = across * down, take = number % tiles + 1, from = number % (tiles - take + 1);
                    winograd_shape s = {TILE * across + 2,
                                        across,
                                        TILE * down - less,
                                        TILE * across - (less + 1) % TILE,
                                        from,
                                        take,
                                        channels,
                                        (activation)(less % 3)};
                    if (number++, !first && winograd_differs(&s, tiles)) first = number;
                }
    for (int h = 1; h <= 14; h += 3)
        for (int w = 1; w <= 14; w++)
            for (int channels = 4; channels <= 20; channels += 8) {
                int cin = channels + 4 * (w % 3), cout = channels + 4 * (h % 2);
                window_shape s = {
                    (h + 1) / 2 * 2 + 2, (w + 1) / 2 * 2 + 2, cin, h, w, cout, 3, 1, (activation)(w % 3), 0};
                if (number++, !first && small_differs(small_winograd, 9 * cin, &s)) first = number;
            }
    if (number++, !first && !int8_dot_works(&int8_simd.dot)) first = number;
    if (count) *count = number;
    return first;
}

#ifndef __wasm__
#include <math.h>
#include <stdio.h>

/* pleura_exp against the C library's double precision, over the range that softmax and sigmoid use. */
static double worst_exp(void)
{
    double worst = 0;
    for (float x = -87; x <= 87; x += 0.0137f) {
        double error = fabs(pleura_exp(x) / exp(x) - 1);
        if (error > worst) worst = error;
    }
    return worst;
}

int main(void)
{
    int count, first = test_kernels(&count);
    double error = worst_exp();
    int edges = pleura_exp(0) == 1 && pleura_exp(-1000) == 0 && pleura_exp(NAN) == 0 && pleura_exp(1000) < INFINITY;
    if (first) printf("kernels: shape %d of %d differs\n", first, count);
    else printf("kernels: %d shapes agree bit for bit; exp is within %.1e\n", count, error);
    return first || error > 2.4e-7 || !edges;
}
#endif
