/* f32_simd.c - the kernels of f32_ref.c on 128-bit vectors, with the same bits.
 *
 * A vector holds four output channels of one pixel, so every lane adds in the order of the reference. Convolutions
 * compute blocks of 4 pixels x 8 channels: each vector of weights that is loaded serves four pixels, and each input
 * value serves two vectors. */
/* Nested loops over one index space share an indentation. */
/* clang-format off */
#include "nn/simd.h"

#include "nn/int8.h"

#include <float.h>

typedef v128_t f32x4;
#define load4 wasm_v128_load
#define store4 wasm_v128_store
#define splat4 wasm_v128_load32_splat
#define add4 wasm_f32x4_add
#define sub4 wasm_f32x4_sub
#define mul4 wasm_f32x4_mul
#define max4 wasm_f32x4_pmax /* a < b ? b : a */

static f32x4 fma4(f32x4 sum, f32x4 a, f32x4 b) { return add4(sum, mul4(a, b)); } /* rounds twice */

static f32x4 splat(float v) { return wasm_f32x4_splat(v); }

static f32x4 times4(float factor, f32x4 v) { return mul4(splat(factor), v); }

static void put(float *out, f32x4 v, activation act) { store4(out, clamp_to_act4(v, act)); }

/* Visits the windows row by row, without divisions. */
typedef struct {
    const float *at, *row;
    int x;
} walk;

static const float *next_window(walk *w, const window_shape *s)
{
    const float *here = w->at;
    w->at += s->stride * s->cin;
    if (++w->x == s->ow) {
        w->row += s->stride * s->w * s->cin;
        w->at = w->row, w->x = 0;
    }
    return here;
}

/* 4 pixels x 8 channels: 8 sums, 4 splats and 2 weights fit the 15 vector registers that V8 leaves. By far most of the
 * time of a film in float32 is spent in this loop. A call for each block would make a network 8 % slower. */
__attribute__((always_inline)) static inline void conv_4x8(float *out, const float *const p[4], const float *w0,
                                                           const float *bias, const window_shape *s)
{
    const float *w1 = w0 + s->k * s->k * s->cin * 4;
    f32x4 a0 = load4(bias), a1 = a0, a2 = a0, a3 = a0;
    f32x4 b0 = load4(bias + 4), b1 = b0, b2 = b0, b3 = b0;
    for (int ky = 0; ky < s->k; ky++) {
        int row = ky * s->w * s->cin, n = s->k * s->cin; /* a row of the window is contiguous */
        const float *p0 = p[0] + row, *p1 = p[1] + row, *p2 = p[2] + row, *p3 = p[3] + row;
        for (int i = 0; i < n; i++, w0 += 4, w1 += 4) {
            f32x4 u = load4(w0), v = load4(w1), x0 = splat4(p0 + i), x1 = splat4(p1 + i);
            a0 = fma4(a0, x0, u), b0 = fma4(b0, x0, v);
            a1 = fma4(a1, x1, u), b1 = fma4(b1, x1, v);
            f32x4 x2 = splat4(p2 + i), x3 = splat4(p3 + i);
            a2 = fma4(a2, x2, u), b2 = fma4(b2, x2, v);
            a3 = fma4(a3, x3, u), b3 = fma4(b3, x3, v);
        }
    }
    int c = s->cout;
    activation act = s->act;
    put(out, a0, act), put(out + 4, b0, act);
    put(out + c, a1, act), put(out + c + 4, b1, act);
    put(out + 2 * c, a2, act), put(out + 2 * c + 4, b2, act);
    put(out + 3 * c, a3, act), put(out + 3 * c + 4, b3, act);
}

/* 4 pixels x 4 channels, for the last block if cout % 8 == 4. */
static void conv_4x4(float *out, const float *const p[4], const float *w, const float *bias, const window_shape *s)
{
    f32x4 a0 = load4(bias), a1 = a0, a2 = a0, a3 = a0;
    for (int ky = 0; ky < s->k; ky++) {
        int row = ky * s->w * s->cin, n = s->k * s->cin;
        const float *p0 = p[0] + row, *p1 = p[1] + row, *p2 = p[2] + row, *p3 = p[3] + row;
        for (int i = 0; i < n; i++, w += 4) {
            f32x4 u = load4(w);
            a0 = fma4(a0, splat4(p0 + i), u), a1 = fma4(a1, splat4(p1 + i), u);
            a2 = fma4(a2, splat4(p2 + i), u), a3 = fma4(a3, splat4(p3 + i), u);
        }
    }
    int c = s->cout;
    activation act = s->act;
    put(out, a0, act), put(out + c, a1, act), put(out + 2 * c, a2, act), put(out + 3 * c, a3, act);
}

/* One pixel x 4 channels, for the last pixels and for dense layers. */
static void conv_1x4(float *out, const float *p, const float *w, const float *bias, const window_shape *s)
{
    f32x4 sum = load4(bias);
    for (int ky = 0; ky < s->k; ky++) {
        const float *row = p + ky * s->w * s->cin;
        for (int i = 0; i < s->k * s->cin; i++, w += 4) sum = fma4(sum, splat4(row + i), load4(w));
    }
    put(out, sum, s->act);
}

static void conv(float *out, const float *in, const float *w, const float *bias, const window_shape *s)
{
    int pixels = s->oh * s->ow, inputs = s->k * s->k * s->cin;
    for (int o = 0; o < s->cout;) {
        int wide = o + 8 <= s->cout, n = 0;
        const float *wp = w + packed_index(o, 0, inputs);
        walk to = {in, in, 0};
        for (; n + 4 <= pixels; n += 4) {
            const float *p[4];
            for (int i = 0; i < 4; i++) p[i] = next_window(&to, s);
            if (wide) conv_4x8(out + n * s->cout + o, p, wp, bias + o, s);
            else conv_4x4(out + n * s->cout + o, p, wp, bias + o, s);
        }
        for (; n < pixels; n++) {
            const float *p = next_window(&to, s);
            for (int half = 0; half <= 4 * wide; half += 4)
                conv_1x4(out + n * s->cout + o + half, p, wp + packed_index(half, 0, inputs), bias + o + half, s);
        }
        o += wide ? 8 : 4;
    }
}

/* The taps of a window that lie inside the input: ky from top to bottom - 1, kx from left to right - 1. */
typedef struct {
    int top, bottom, left, right;
} taps;

/* The first tap of window number `at` that lies inside `size` values, and the end of such taps. */
static void clip(int *first, int *end, int at, int size, const window_shape *s)
{
    int from = at * s->stride - s->pad;
    *first = from < 0 ? -from : 0;
    *end = from + s->k > size ? size - from : s->k;
}

/* Four pixels of a row x 4 channels. Their windows begin at in + corner, `apart` floats after each other; all columns
 * are inside. */
static void depthwise_4(f32x4 sum[4], const float *in, int corner, const float *w, int apart, const taps *t,
                        const window_shape *s)
{
    f32x4 a = sum[0], b = sum[0], c = sum[0], d = sum[0];
    w += t->top * s->k * 4;
    for (int ky = t->top; ky < t->bottom; ky++) {
        const float *p = in + corner + ky * s->w * s->cin;
        for (int kx = 0; kx < s->k; kx++, p += s->cin, w += 4) {
            f32x4 u = load4(w);
            a = fma4(a, load4(p), u), b = fma4(b, load4(p + apart), u);
            c = fma4(c, load4(p + 2 * apart), u), d = fma4(d, load4(p + 3 * apart), u);
        }
    }
    sum[0] = a, sum[1] = b, sum[2] = c, sum[3] = d;
}

static f32x4 depthwise_1(f32x4 sum, const float *in, int corner, const float *w, const taps *t, const window_shape *s)
{
    for (int ky = t->top; ky < t->bottom; ky++)
    for (int kx = t->left; kx < t->right; kx++)
        sum = fma4(sum, load4(in + corner + (ky * s->w + kx) * s->cin), load4(w + (ky * s->k + kx) * 4));
    return sum;
}

/* All channels of four pixels, or of one, and then of the next: their windows share what the cache holds. */
static void depthwise(float *out, const float *in, const float *w, const float *bias, const window_shape *s)
{
    int apart = s->stride * s->cin, taps_size = s->k * s->k * 4;
    taps t;
    for (int y = 0; y < s->oh; y++) {
        clip(&t.top, &t.bottom, y, s->h, s);
        for (int x = 0; x < s->ow;) {
            int left = x * s->stride - s->pad, right = left + 3 * s->stride + s->k;
            int four = left >= 0 && right <= s->w && x + 4 <= s->ow;
            /* An index, not a pointer, because it may be negative. */
            int corner = ((y * s->stride - s->pad) * s->w + left) * s->cin;
            const float *wp = w;
            clip(&t.left, &t.right, x, s->w, s);
            for (int o = 0; o < s->cout; o += 4, corner += 4, out += 4, wp += taps_size) {
                f32x4 sum[4] = {load4(bias + o)};
                if (four) {
                    depthwise_4(sum, in, corner, wp, apart, &t, s);
                    for (int i = 0; i < 4; i++) put(out + i * s->cout, sum[i], s->act);
                } else put(out, depthwise_1(sum[0], in, corner, wp, &t, s), s->act);
            }
            out += four * 3 * s->cout;
            x += four ? 4 : 1;
        }
    }
}

static void maxpool(float *out, const float *in, const window_shape *s)
{
    walk to = {in, in, 0};
    for (int n = 0; n < s->oh * s->ow; n++) {
        const float *corner = next_window(&to, s);
        for (int o = 0; o < s->cout; o += 4, out += 4, corner += 4) {
            f32x4 best = load4(corner);
            for (int ky = 0; ky < s->k; ky++)
            for (int kx = 0; kx < s->k; kx++) best = max4(best, load4(corner + (ky * s->w + kx) * s->cin));
            store4(out, best);
        }
    }
}

static void avgpool(float *out, const float *in, const window_shape *s)
{
    f32x4 count = splat((float)(s->k * s->k));
    walk to = {in, in, 0};
    for (int n = 0; n < s->oh * s->ow; n++) {
        const float *corner = next_window(&to, s);
        for (int o = 0; o < s->cout; o += 4, out += 4, corner += 4) {
            f32x4 sum = splat(0);
            for (int ky = 0; ky < s->k; ky++)
            for (int kx = 0; kx < s->k; kx++) sum = add4(sum, load4(corner + (ky * s->w + kx) * s->cin));
            store4(out, wasm_f32x4_div(sum, count));
        }
    }
}

static void add(float *out, const float *a, const float *b, int n, activation act)
{
    for (int i = 0; i < n; i += 4) put(out + i, add4(load4(a + i), load4(b + i)), act);
}

static void mul(float *out, const float *a, const float *b, int pixels, int c)
{
    for (int n = 0; n < pixels; n++)
    for (int o = 0; o < c; o += 4, a += 4, out += 4) store4(out, mul4(load4(a), load4(b + o)));
}

/* pleura_exp on four lanes, operation by operation. */
__attribute__((noinline)) static f32x4 exp4(f32x4 x)
{
    f32x4 in_range = wasm_f32x4_ge(x, splat(-87));
    x = wasm_v128_and(x, in_range); /* the other lanes compute e^0 and are cleared at the end */
    x = wasm_f32x4_pmin(x, splat(88));
    f32x4 scaled = times4(1.44269504f, x), negative = wasm_f32x4_lt(scaled, splat(0));
    v128_t n = wasm_i32x4_trunc_sat_f32x4(add4(scaled, wasm_v128_bitselect(splat(-0.5f), splat(0.5f), negative)));
    f32x4 whole = wasm_f32x4_convert_i32x4(n);
    f32x4 r = sub4(sub4(x, times4(0.693359375f, whole)), times4(-2.12194440e-4f, whole));
    f32x4 p = splat(1.9875691500e-4f);
    p = fma4(splat(1.3981999507e-3f), p, r), p = fma4(splat(8.3334519073e-3f), p, r);
    p = fma4(splat(4.1665795894e-2f), p, r), p = fma4(splat(1.6666665459e-1f), p, r);
    p = fma4(splat(5.0000001201e-1f), p, r);
    p = add4(add4(mul4(mul4(p, r), r), r), splat(1));
    v128_t power = wasm_i32x4_shl(wasm_i32x4_add(n, wasm_i32x4_splat(127)), 23);
    return wasm_v128_and(mul4(p, power), in_range);
}

static f32x4 sigmoid(f32x4 v) { return wasm_f32x4_div(splat(1), add4(splat(1), exp4(wasm_f32x4_neg(v)))); }

static f32x4 hard_sigmoid(f32x4 v) { return times4(1.0f / 6, clamp_to_act4(add4(v, splat(3)), ACT_RELU6)); }

static f32x4 error_function(f32x4 v)
{
    f32x4 x = wasm_f32x4_abs(v), t = wasm_f32x4_div(splat(1), add4(splat(1), times4(0.3275911f, x)));
    f32x4 p = sub4(times4(1.061405429f, t), splat(1.453152027f));
    p = add4(mul4(p, t), splat(1.421413741f)), p = sub4(mul4(p, t), splat(0.284496736f));
    p = mul4(add4(mul4(p, t), splat(0.254829592f)), t);
    f32x4 y = sub4(splat(1), mul4(p, exp4(wasm_f32x4_neg(mul4(x, x)))));
    return wasm_v128_bitselect(wasm_f32x4_neg(y), y, wasm_f32x4_lt(v, splat(0)));
}

static f32x4 reciprocal(f32x4 v)
{
    return wasm_v128_and(wasm_f32x4_div(splat(1), v), wasm_f32x4_ne(v, splat(0)));
}

static f32x4 logarithm(f32x4 v)
{
    v = wasm_f32x4_pmax(splat(FLT_MIN), v);
    v128_t n = wasm_i32x4_shr(wasm_i32x4_sub(v, wasm_i32x4_splat(0x3f3504f3)), 23);
    v = wasm_i32x4_sub(v, wasm_i32x4_shl(n, 23));
    f32x4 z = wasm_f32x4_div(sub4(v, splat(1)), add4(v, splat(1))), w = mul4(z, z);
    f32x4 p = fma4(splat(2.0f / 7), w, splat(2.0f / 9));
    p = fma4(splat(0.4f), p, w), p = fma4(splat(2.0f / 3), p, w), p = fma4(splat(2), p, w);
    return fma4(times4(0.693147181f, wasm_f32x4_convert_i32x4(n)), z, p);
}

static void activate(float *v, int n, activation act)
{
    for (int i = 0; i < n; i += 4) {
        f32x4 x = load4(v + i);
        switch (act) {
        case ACT_SILU: x = mul4(x, sigmoid(x)); break;
        case ACT_HARDSWISH: x = mul4(x, hard_sigmoid(x)); break;
        case ACT_HARDSIGMOID: x = hard_sigmoid(x); break;
        case ACT_SIGMOID: x = sigmoid(x); break;
        case ACT_TANH: x = sub4(times4(2, sigmoid(times4(2, x))), splat(1)); break;
        case ACT_EXP: x = exp4(x); break;
        case ACT_ERF: x = error_function(x); break;
        case ACT_SQRT: x = wasm_f32x4_sqrt(clamp_to_act4(x, ACT_RELU)); break;
        case ACT_RECIPROCAL: x = reciprocal(x); break;
        case ACT_LOG: x = logarithm(x); break;
        case ACT_UINT8: x = wasm_f32x4_nearest(wasm_f32x4_pmin(splat(255), clamp_to_act4(x, ACT_RELU))); break;
        default: break;
        }
        put(v + i, x, act);
    }
}

static void resize_bilinear(float *out, const float *in, int h, int w, int c, int scale)
{
    for (int y = 0; y < h * scale; y++)
    for (int x = 0; x < w * scale; x++) {
        bilinear_point p = bilinear_at(y, x, h, w, scale);
        const float *upper = in + (p.top * w + p.left) * c, *lower = in + (p.bottom * w + p.left) * c;
        int right = (p.right - p.left) * c;
        for (int o = 0; o < c; o += 4, out += 4) {
            f32x4 a = load4(upper + o), b = load4(lower + o);
            f32x4 above = add4(a, times4(p.across, sub4(load4(upper + right + o), a)));
            f32x4 below = add4(b, times4(p.across, sub4(load4(lower + right + o), b)));
            store4(out, add4(above, times4(p.down, sub4(below, above))));
        }
    }
}

static void global_avgpool(float *out, const float *in, int pixels, int c)
{
    f32x4 count = splat((float)pixels);
    for (int o = 0; o < c; o += 4) {
        f32x4 sum = splat(0);
        for (int i = 0; i < pixels; i++) sum = add4(sum, load4(in + i * c + o));
        store4(out + o, wasm_f32x4_div(sum, count));
    }
}

/* B' d of a row or column: six values that lie `step` apart. */
static void transform_input(f32x4 *t, const f32x4 *d, int step)
{
    f32x4 d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    f32x4 a = sub4(d4, times4(4, d2)), b = sub4(d3, times4(4, d1)), c = sub4(d4, d2), e = times4(2, sub4(d3, d1));
    t[0] = add4(sub4(times4(4, d0), times4(5, d2)), d4);
    t[step] = add4(a, b), t[2 * step] = sub4(a, b), t[3 * step] = add4(c, e), t[4 * step] = sub4(c, e);
    t[5 * step] = add4(sub4(times4(4, d1), times4(5, d3)), d5);
}

/* A' m of a row or column: six values that lie `step` apart become four. */
static void transform_output(f32x4 *o, const f32x4 *m, int step)
{
    f32x4 sum = add4(m[step], m[2 * step]), dif = sub4(m[step], m[2 * step]);
    f32x4 sum2 = add4(m[3 * step], m[4 * step]), dif2 = sub4(m[3 * step], m[4 * step]), last = m[5 * step];
    o[0] = add4(add4(m[0], sum), sum2);
    o[step] = add4(dif, times4(2, dif2));
    o[2 * step] = add4(sum, times4(4, sum2));
    o[3 * step] = add4(add4(dif, times4(8, dif2)), last);
}

static void winograd_input(float *out, const float *in, const winograd_shape *s)
{
    f32x4 t[TILE_POSITIONS];
    for (int n = 0; n < s->count; n++) {
        int y = (s->first + n) / s->across * TILE, x = (s->first + n) % s->across * TILE;
        for (int i = 0; i < s->channels; i += 4) {
            const float *corner = in + (y * s->w + x) * s->channels + i;
            for (int u = 0; u < TILE_IN; u++) {
                for (int v = 0; v < TILE_IN; v++) t[v * TILE_IN + u] = load4(corner + (v * s->w + u) * s->channels);
                transform_input(t + u, t + u, TILE_IN);
            }
            for (int v = 0; v < TILE_IN; v++) {
                transform_input(t + v * TILE_IN, t + v * TILE_IN, 1);
                for (int u = 0; u < TILE_IN; u++)
                    store4(out + ((v * TILE_IN + u) * s->count + n) * s->channels + i, t[v * TILE_IN + u]);
            }
        }
    }
}

static void winograd_output(float *out, const float *in, const float *bias, const winograd_shape *s)
{
    f32x4 t[TILE_POSITIONS];
    for (int n = 0; n < s->count; n++) {
        int y = (s->first + n) / s->across * TILE, x = (s->first + n) % s->across * TILE;
        for (int o = 0; o < s->channels; o += 4) {
            f32x4 b = load4(bias + o);
            for (int u = 0; u < TILE_IN; u++) {
                for (int v = 0; v < TILE_IN; v++)
                    t[v * TILE_IN + u] = load4(in + ((v * TILE_IN + u) * s->count + n) * s->channels + o);
                transform_output(t + u, t + u, TILE_IN);
            }
            for (int v = 0; v < TILE && y + v < s->oh; v++) {
                transform_output(t + v * TILE_IN, t + v * TILE_IN, 1);
                for (int u = 0; u < TILE && x + u < s->ow; u++)
                    put(out + ((y + v) * s->ow + x + u) * s->channels + o, add4(t[v * TILE_IN + u], b), s->act);
            }
        }
    }
}

const kernels kernels_simd = {conv, depthwise, maxpool, avgpool, add, mul, activate, resize_bilinear, global_avgpool,
                              winograd_input, winograd_output, &int8_simd};
