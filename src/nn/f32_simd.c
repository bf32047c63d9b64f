/* f32_simd.c - the kernels of f32_ref.c on 128-bit vectors, with the same bits.
 *
 * A vector holds four output channels of one pixel, so every lane adds in the order of the reference. Convolutions copy
 * the windows of some pixels into panels, four pixels side by side, and compute blocks of 4 pixels x 8 channels: each
 * vector of weights that is loaded serves four pixels, and each input value serves two vectors. */
/* Nested loops over one index space share an indentation. */
/* clang-format off */
#include "nn/simd.h"

#include "nn/depthwise.h"
#include "nn/int8.h"

#include <float.h>
#include <math.h>

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

/* clamp_to_act4 of `count` vectors, with one decision for all. */
__attribute__((always_inline)) static inline void clamp_all(f32x4 *v, int count, activation act)
{
    if (act != ACT_RELU && act != ACT_RELU6) return;
    f32x4 most = splat(act == ACT_RELU6 ? 6 : INFINITY);
    for (int i = 0; i < count; i++) v[i] = wasm_f32x4_pmin(max4(splat(0), v[i]), most);
}

/* x = p[i] in all lanes, for a constant i. LLVM does not write the constant into v128.load32_splat, and additions for
 * the addresses would make a network 5 % slower. */
#ifdef __wasm_simd128__
#define SPLAT_AT(x, p, i)                                                 \
    __asm__("local.get %1\n v128.load32_splat %2\n local.set %0"          \
            : "=r"(x) : "r"(p), "i"(4 * (i)), "m"(*(const float (*)[4])(p)))
#else
#define SPLAT_AT(x, p, i) x = splat4((p) + (i))
#endif

/* 4 pixels x 8 channels from a panel: 8 sums, 4 splats and 2 weights fit the 15 vector registers that V8 leaves. Most
 * of the time of a film in float32 is spent in this loop; a call for each block would make a network 8 % slower. */
__attribute__((always_inline)) static inline void conv_4x8(float *out, const float *p, const float *w0,
                                                           const float *bias, const window_shape *s, int inputs)
{
    const float *w1 = w0 + inputs * 4, *end = p + inputs * 4;
    f32x4 a0 = load4(bias), a1 = a0, a2 = a0, a3 = a0;
    f32x4 b0 = load4(bias + 4), b1 = b0, b2 = b0, b3 = b0;
    for (; p < end; p += 4, w0 += 4, w1 += 4) {
        f32x4 u = load4(w0), v = load4(w1), x0, x1, x2, x3;
        SPLAT_AT(x3, p, 3);
        SPLAT_AT(x2, p, 2);
        SPLAT_AT(x1, p, 1);
        SPLAT_AT(x0, p, 0);
        a0 = fma4(a0, x0, u), b0 = fma4(b0, x0, v), a1 = fma4(a1, x1, u), b1 = fma4(b1, x1, v);
        a2 = fma4(a2, x2, u), b2 = fma4(b2, x2, v), a3 = fma4(a3, x3, u), b3 = fma4(b3, x3, v);
    }
    f32x4 sum[] = {a0, b0, a1, b1, a2, b2, a3, b3};
    clamp_all(sum, 8, s->act);
    for (int i = 0; i < 8; i += 2, out += s->cout) store4(out, sum[i]), store4(out + 4, sum[i + 1]);
}

/* 4 pixels x 4 channels, for the last block if cout % 8 == 4. */
static void conv_4x4(float *out, const float *p, const float *w, const float *bias, const window_shape *s, int inputs)
{
    f32x4 a0 = load4(bias), a1 = a0, a2 = a0, a3 = a0;
    for (const float *end = p + inputs * 4; p < end; p += 4, w += 4) {
        f32x4 u = load4(w), x0, x1, x2, x3;
        SPLAT_AT(x3, p, 3);
        SPLAT_AT(x2, p, 2);
        SPLAT_AT(x1, p, 1);
        SPLAT_AT(x0, p, 0);
        a0 = fma4(a0, x0, u), a1 = fma4(a1, x1, u), a2 = fma4(a2, x2, u), a3 = fma4(a3, x3, u);
    }
    f32x4 sum[] = {a0, a1, a2, a3};
    clamp_all(sum, 4, s->act);
    for (int i = 0; i < 4; i++, out += s->cout) store4(out, sum[i]);
}

/* One pixel x 16 channels, or 4: every addition waits for the one before it, so four sums go side by side. */
static void conv_1(float *out, const float *p, const float *w, const float *bias, const window_shape *s, int blocks)
{
    size_t apart = (size_t)(s->k * s->k * s->cin) * 4;
    f32x4 a = load4(bias), b = a, c = a, d = a;
    if (blocks == 4) b = load4(bias + 4), c = load4(bias + 8), d = load4(bias + 12);
    for (int ky = 0; ky < s->k; ky++) {
        const float *row = p + ky * s->w * s->cin;
        for (int i = 0; i < s->k * s->cin; i++, w += 4) {
            f32x4 x = splat4(row + i);
            a = fma4(a, x, load4(w));
            if (blocks < 4) continue;
            b = fma4(b, x, load4(w + apart)), c = fma4(c, x, load4(w + 2 * apart));
            d = fma4(d, x, load4(w + 3 * apart));
        }
    }
    f32x4 sum[] = {a, b, c, d};
    clamp_all(sum, 4, s->act);
    for (int i = 0; i < blocks; i++) store4(out + 4 * i, sum[i]);
}

/* The window of pixel number n. */
static const float *window(const float *in, int n, const window_shape *s)
{
    return in + (n / s->ow * s->w + n % s->ow) * s->stride * s->cin;
}

/* Writes four rows of four values as columns. */
static void transpose4(float *out, f32x4 a, f32x4 b, f32x4 c, f32x4 d)
{
    f32x4 ab = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), cd = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5);
    store4(out, wasm_i64x2_shuffle(ab, cd, 0, 2)), store4(out + 4, wasm_i64x2_shuffle(ab, cd, 1, 3));
    ab = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7), cd = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
    store4(out + 8, wasm_i64x2_shuffle(ab, cd, 0, 2)), store4(out + 12, wasm_i64x2_shuffle(ab, cd, 1, 3));
}

/* The panel of the four pixels from number n on: [k * k * cin][4]. */
static void pack(float *panel, const float *in, int n, const window_shape *s)
{
    const float *p[4];
    int row = s->k * s->cin, y = n < s->ow ? 0 : n / s->ow, x = n - y * s->ow;
    for (int j = 0; j < 4; j++) {
        p[j] = in + (y * s->w + x) * s->stride * s->cin;
        if (++x == s->ow) x = 0, y++;
    }
    const float *a = p[0], *b = p[1], *c = p[2], *d = p[3];
    for (int ky = 0; ky < s->k; ky++) {
        int from = ky * s->w * s->cin, i = from;
        for (; i + 4 <= from + row; i += 4, panel += 16)
            transpose4(panel, load4(a + i), load4(b + i), load4(c + i), load4(d + i));
        for (; i < from + row; i++, panel += 4) panel[0] = a[i], panel[1] = b[i], panel[2] = c[i], panel[3] = d[i];
    }
}

static void conv(float *out, const float *in, const float *w, const float *bias, const window_shape *s)
{
    enum { PANEL_FLOATS = 1 << 14 }; /* they and the weights of 8 channels should stay in the second-level cache */
    float panels[PANEL_FLOATS];
    int pixels = s->oh * s->ow, inputs = s->k * s->k * s->cin, group = PANEL_FLOATS / inputs / 4 * 4, c = s->cout;
    if (pixels < 4 || group == 0) { /* dense layers and very large windows */
        for (int n = 0; n < pixels; n++)
        for (int o = 0, blocks; o < c; o += 4 * blocks) {
            blocks = o + 16 <= c ? 4 : 1;
            conv_1(out + n * c + o, window(in, n, s), w + packed_index(o, 0, inputs), bias + o, s, blocks);
        }
        return;
    }
    for (int first = 0; first < pixels; first += group) {
        int end = first + group < pixels ? first + group : pixels, last = pixels - 4;
        for (int n = first; n < end; n += 4) pack(panels + (n - first) * inputs, in, n < last ? n : last, s);
        for (int o = 0; o < c; o += 8)
        for (int n = first; n < end; n += 4) {
            const float *panel = panels + (n - first) * inputs, *weight = w + packed_index(o, 0, inputs);
            float *to = out + (n < last ? n : last) * c + o; /* the last four pixels may overlap those before */
            if (o + 8 <= c) conv_4x8(to, panel, weight, bias + o, s, inputs);
            else conv_4x4(to, panel, weight, bias + o, s, inputs);
        }
    }
}

/* One row of the windows of four neighbours x 4 channels, with k and the stride constant: each input is loaded once. */
__attribute__((always_inline)) static inline void slide(f32x4 sum[4], const float *in, const float *w, int cin, int k,
                                                        int stride)
{
    for (int column = 0; column < 3 * stride + k; column++, in += cin) {
        f32x4 x = load4(in);
        for (int i = 0; i < 4; i++) {
            int kx = column - i * stride;
            if (kx >= 0 && kx < k) sum[i] = fma4(sum[i], x, load4(w + kx * 4));
        }
    }
}

static void depthwise_4(float *out, const float *in, int corner, const float *w, const float *bias, const taps *t,
                        const spacing *next, const window_shape *s)
{
    int k = s->k, cin = s->cin, line = s->w * cin, rows = t->bottom - t->top, columns = t->right - t->left;
    int whole_row = columns == k && next->in == s->stride * cin;
    int slides = whole_row ? 10 * k + s->stride : 0; /* 31 is k = 3 at stride 1 */
    int cout = s->cout, apart = next->in, to_next = next->out, skipped = (k - rows) * k * 4;
    activation act = s->act;
    in += corner + t->top * line + t->left * cin, w += (t->top * k + t->left) * 4; /* the first tap that is inside */
    for (int o = 0; o < cout; o += 4, w += skipped) {
        f32x4 b = load4(bias + o), sum[4] = {b, b, b, b};
        const float *row = in + o;
        /* A loop for each case: a decision within the loop costs as much as a row. */
#define ROWS for (int n = rows; n > 0; n--, row += line, w += k * 4)
        if (slides == 31) ROWS slide(sum, row, w, cin, 3, 1);
        else if (slides == 32) ROWS slide(sum, row, w, cin, 3, 2);
        else if (slides == 51) ROWS slide(sum, row, w, cin, 5, 1);
        else ROWS for (int kx = 0; kx < columns; kx++)
            for (int i = 0; i < 4; i++) sum[i] = fma4(sum[i], load4(row + kx * cin + i * apart), load4(w + kx * 4));
#undef ROWS
        clamp_all(sum, 4, act);
        float *to = out + o;
        for (int i = 0; i < 4; i++, to += to_next) store4(to, sum[i]);
    }
}

/* All channels of one pixel. */
static void depthwise_1(float *out, const float *in, int corner, const float *w, const float *bias, const taps *t,
                        const window_shape *s)
{
    for (int o = 0; o < s->cout; o += 4, w += s->k * s->k * 4) {
        f32x4 sum = load4(bias + o);
        for (int ky = t->top; ky < t->bottom; ky++)
        for (int kx = t->left; kx < t->right; kx++)
            sum = fma4(sum, load4(in + (corner + o + (ky * s->w + kx) * s->cin)), load4(w + (ky * s->k + kx) * 4));
        put(out + o, sum, s->act);
    }
}

static void windows(float *out, const float *in, int corner, const float *w, const float *bias, const taps *t,
                    const spacing *next, const window_shape *s)
{
    if (next) depthwise_4(out, in, corner, w, bias, t, next, s);
    else depthwise_1(out, in, corner, w, bias, t, s);
}

static void depthwise(float *out, const float *in, const float *w, const float *bias, const window_shape *s)
{
    walk_depthwise(out, in, w, bias, s, windows);
}

static void maxpool(float *out, const float *in, const window_shape *s)
{
    for (int n = 0; n < s->oh * s->ow; n++) {
        const float *corner = window(in, n, s);
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
    for (int n = 0; n < s->oh * s->ow; n++) {
        const float *corner = window(in, n, s);
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
