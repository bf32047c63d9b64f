/* f32_wide.h - float kernels on vectors of LANES floats, 4, 8 or 16, of x86; f32_avx2.c and f32_avx512.c include it
 * once for each width.
 *
 * It is what f32_simd.c does, with more channels side by side. A sum still runs down one lane, in the order of the
 * reference, each product rounded before it is added: no width changes a bit. Weights lie in blocks of four channels
 * (f32.h), so a vector of weights is put together from several. Every function computes a strip of channels of a layer,
 * `vectors` times LANES from channel o on. */
/* Nested loops over one index space share an indentation. */
/* clang-format off */
#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#define EACH_OF_1(X) X(0)
#define EACH_OF_4(X) X(0) X(1) X(2) X(3)
enum { MAX_PACKED = 1 << 14 };
#endif

#define JOINED_(a, b) a##b
#define JOINED(a, b) JOINED_(a, b)
#define N(name) JOINED(name##_, LANES)

#if LANES == 16
#define V __m512
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define SPLAT _mm512_set1_ps
#define MAX _mm512_max_ps /* a > b ? a : b */
#define MIN _mm512_min_ps
#elif LANES == 8
#define V __m256
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define SPLAT _mm256_set1_ps
#define MAX _mm256_max_ps
#define MIN _mm256_min_ps
#else
#define V __m128
#define LOAD _mm_loadu_ps
#define STORE _mm_storeu_ps
#define SPLAT _mm_set1_ps
#define MAX _mm_max_ps
#define MIN _mm_min_ps
#endif

/* One value each of LANES / 4 blocks of weights that lie `apart` floats after each other. */
INLINE V N(weights)(const float *w, size_t apart)
{
    __m128 first = _mm_loadu_ps(w);
#if LANES == 16
    __m256 low = _mm256_insertf128_ps(_mm256_castps128_ps256(first), _mm_loadu_ps(w + apart), 1);
    __m256 third = _mm256_castps128_ps256(_mm_loadu_ps(w + 2 * apart));
    __m256d high = _mm256_castps_pd(_mm256_insertf128_ps(third, _mm_loadu_ps(w + 3 * apart), 1));
    return _mm512_castpd_ps(_mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_castps_pd(low)), high, 1));
#elif LANES == 8
    return _mm256_insertf128_ps(_mm256_castps128_ps256(first), _mm_loadu_ps(w + apart), 1);
#else
    (void)apart;
    return first;
#endif
}

INLINE void N(put)(float *out, V v, activation act)
{
    if (act == ACT_RELU || act == ACT_RELU6) v = MAX(v, SPLAT(0)); /* -0 and NaN become +0 */
    if (act == ACT_RELU6) v = MIN(v, SPLAT(6));
    STORE(out, v);
}

INLINE V N(sum)(const float *a, const float *b) { return LOAD(a) + LOAD(b); }

/* The sums of a tile of pixels are variables, a0, b0, a1, ...: compilers keep arrays in memory. */
#define START(j)           \
    const float *p##j = p[j]; \
    V a##j = a, b##j = b;
#define STEP(j)                         \
    {                                   \
        V x = SPLAT(p##j[i]);           \
        a##j += x * u;                  \
        if (vectors == 2) b##j += x * t; \
    }
#define FINISH(j)                                                              \
    N(put)(out + j * s->cout, a##j, s->act);                                   \
    if (vectors == 2) N(put)(out + j * s->cout + LANES, b##j, s->act);
#define CONV_TILE(pixels, EACH)                                                                               \
    INLINE void N(conv_tile_##pixels)(float *out, const float *const *p, const float *w, const float *bias,   \
                                      const window_shape *s, int vectors, int packed)                         \
    {                                                                                                         \
        size_t apart = (size_t)(s->k * s->k * s->cin) * 4;                                                    \
        size_t second = packed ? LANES : (size_t)(LANES / 4) * apart, step = packed ? (size_t)vectors * LANES : 4; \
        V a = LOAD(bias), b = vectors == 2 ? LOAD(bias + LANES) : a;                                          \
        EACH(START)                                                                                           \
        for (int ky = 0; ky < s->k; ky++) {                                                                   \
            int row = ky * s->w * s->cin, n = s->k * s->cin; /* a row of the window is contiguous */          \
            for (int i = row; i < row + n; i++, w += step) {                                                  \
                V u = packed ? LOAD(w) : N(weights)(w, apart), t = u;                                         \
                if (vectors == 2) t = packed ? LOAD(w + second) : N(weights)(w + second, apart);              \
                EACH(STEP)                                                                                    \
            }                                                                                                 \
        }                                                                                                     \
        EACH(FINISH)                                                                                          \
    }
CONV_TILE(many, EACH_OF_MANY)
CONV_TILE(4, EACH_OF_4)
CONV_TILE(1, EACH_OF_1)
#undef START
#undef STEP
#undef FINISH
#undef CONV_TILE

INLINE void N(conv_strip)(float *out, const float *in, const float *w, const float *bias, const window_shape *s,
                          int vectors, int packed)
{
    int pixels = s->oh * s->ow;
    const float *row = in, *at = in;
    for (int n = 0, x = 0; n < pixels;) {
        int left = pixels - n, count = left >= PIXELS ? PIXELS : left >= 4 ? 4 : 1;
        const float *p[PIXELS];
        for (int j = 0; j < count; j++) {
            p[j] = at, at += s->stride * s->cin;
            if (++x == s->ow) row += s->stride * s->w * s->cin, at = row, x = 0;
        }
        float *to = out + (size_t)n * (size_t)s->cout;
        if (count == PIXELS) N(conv_tile_many)(to, p, w, bias, s, vectors, packed);
        else if (count == 4) N(conv_tile_4)(to, p, w, bias, s, vectors, packed);
        else N(conv_tile_1)(to, p, w, bias, s, vectors, packed);
        n += count;
    }
}

/* Where several tiles read the weights, they are put together once. */
static void N(conv)(float *out, const float *in, const float *w, const float *bias, const window_shape *s, int o,
                    int vectors)
{
    int inputs = s->k * s->k * s->cin;
    w += packed_index(o, 0, inputs), bias += o, out += o;
    if (LANES > 4 && s->oh * s->ow >= 4 * PIXELS && inputs * vectors * LANES <= MAX_PACKED) {
        size_t apart = (size_t)inputs * 4;
        float buffer[MAX_PACKED], *to = buffer;
        for (int i = 0; i < inputs; i++, w += 4)
        for (int v = 0; v < vectors; v++, to += LANES) STORE(to, N(weights)(w + (size_t)(v * LANES / 4) * apart, apart));
        if (vectors == 2) N(conv_strip)(out, in, buffer, bias, s, 2, 1);
        else N(conv_strip)(out, in, buffer, bias, s, 1, 1);
    } else if (vectors == 2) N(conv_strip)(out, in, w, bias, s, 2, 0);
    else N(conv_strip)(out, in, w, bias, s, 1, 0);
}

/* depthwise_windows of k = `size`, or of any size if that is 0. */
INLINE void N(depthwise_window)(float *out, const float *in, int corner, const float *w, const float *bias,
                                const taps *t, const spacing *next, const window_shape *s, int o, int size)
{
    int k = size ? size : s->k, whole_row = t->left == 0 && t->right == k;
    int left = size && whole_row ? 0 : t->left, right = size && whole_row ? size : t->right;
    size_t apart = (size_t)(k * k) * 4;
    w += packed_index(o, 0, k * k), out += o;
    V a = LOAD(bias + o), b = a, c = a, d = a;
    for (int ky = t->top; ky < t->bottom; ky++)
    for (int kx = left; kx < right; kx++) {
        const float *p = in + (corner + (ky * s->w + kx) * s->cin + o);
        V v = N(weights)(w + (ky * k + kx) * 4, apart);
        a += LOAD(p) * v;
        if (next) b += LOAD(p + next->in) * v, c += LOAD(p + 2 * next->in) * v, d += LOAD(p + 3 * next->in) * v;
    }
    N(put)(out, a, s->act);
    if (next) N(put)(out + next->out, b, s->act), N(put)(out + 2 * next->out, c, s->act);
    if (next) N(put)(out + 3 * next->out, d, s->act);
}

static void N(depthwise)(float *out, const float *in, int corner, const float *w, const float *bias, const taps *t,
                         const spacing *next, const window_shape *s, int o)
{
    if (next && s->k == 3) N(depthwise_window)(out, in, corner, w, bias, t, next, s, o, 3);
    else if (next && s->k == 5) N(depthwise_window)(out, in, corner, w, bias, t, next, s, o, 5);
    else if (next) N(depthwise_window)(out, in, corner, w, bias, t, next, s, o, 0);
    else N(depthwise_window)(out, in, corner, w, bias, t, NULL, s, o, 0);
}

static void N(maxpool)(float *out, const float *in, const window_shape *s, int o)
{
    for (int y = 0; y < s->oh; y++)
    for (int x = 0; x < s->ow; x++) {
        const float *corner = in + (y * s->stride * s->w + x * s->stride) * s->cin + o;
        V best = LOAD(corner);
        for (int ky = 0; ky < s->k; ky++)
        for (int kx = 0; kx < s->k; kx++) best = MAX(LOAD(corner + (ky * s->w + kx) * s->cin), best);
        STORE(out + (y * s->ow + x) * s->cout + o, best);
    }
}

static void N(global_avgpool)(float *out, const float *in, int pixels, int c, int o)
{
    V sum = SPLAT(0);
    for (int i = 0; i < pixels; i++) sum += LOAD(in + i * c + o);
    STORE(out + o, sum / SPLAT((float)pixels));
}

/* B' d of a row or column: six values that lie `step` apart. */
INLINE void N(transform_input)(V *t, const V *d, int step)
{
    V two = SPLAT(2), four = SPLAT(4), five = SPLAT(5);
    V d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    V a = d4 - four * d2, b = d3 - four * d1, c = d4 - d2, e = two * (d3 - d1);
    t[0] = (four * d0 - five * d2) + d4;
    t[step] = a + b, t[2 * step] = a - b, t[3 * step] = c + e, t[4 * step] = c - e;
    t[5 * step] = (four * d1 - five * d3) + d5;
}

/* A' m of a row or column: six values that lie `step` apart become four. */
INLINE void N(transform_output)(V *o, const V *m, int step)
{
    V sum = m[step] + m[2 * step], dif = m[step] - m[2 * step];
    V sum2 = m[3 * step] + m[4 * step], dif2 = m[3 * step] - m[4 * step], last = m[5 * step];
    o[0] = (m[0] + sum) + sum2;
    o[step] = dif + SPLAT(2) * dif2;
    o[2 * step] = sum + SPLAT(4) * sum2;
    o[3 * step] = (dif + SPLAT(8) * dif2) + last;
}

static void N(winograd_input)(float *out, const float *in, const winograd_shape *s, int n, int o)
{
    V t[TILE_POSITIONS];
    int y = (s->first + n) / s->across * TILE, x = (s->first + n) % s->across * TILE;
    const float *corner = in + (y * s->w + x) * s->channels + o;
    for (int u = 0; u < TILE_IN; u++) {
        for (int v = 0; v < TILE_IN; v++) t[v * TILE_IN + u] = LOAD(corner + (v * s->w + u) * s->channels);
        N(transform_input)(t + u, t + u, TILE_IN);
    }
    for (int v = 0; v < TILE_IN; v++) {
        N(transform_input)(t + v * TILE_IN, t + v * TILE_IN, 1);
        for (int u = 0; u < TILE_IN; u++)
            STORE(out + ((v * TILE_IN + u) * s->count + n) * s->channels + o, t[v * TILE_IN + u]);
    }
}

static void N(winograd_output)(float *out, const float *in, const float *bias, const winograd_shape *s, int n, int o)
{
    V t[TILE_POSITIONS], b = LOAD(bias + o);
    int y = (s->first + n) / s->across * TILE, x = (s->first + n) % s->across * TILE;
    for (int u = 0; u < TILE_IN; u++) {
        for (int v = 0; v < TILE_IN; v++)
            t[v * TILE_IN + u] = LOAD(in + ((v * TILE_IN + u) * s->count + n) * s->channels + o);
        N(transform_output)(t + u, t + u, TILE_IN);
    }
    for (int v = 0; v < TILE && y + v < s->oh; v++) {
        N(transform_output)(t + v * TILE_IN, t + v * TILE_IN, 1);
        for (int u = 0; u < TILE && x + u < s->ow; u++)
            N(put)(out + ((y + v) * s->ow + x + u) * s->channels + o, t[v * TILE_IN + u] + b, s->act);
    }
}

#undef V
#undef LOAD
#undef STORE
#undef SPLAT
#undef MAX
#undef MIN
#undef N
#undef JOINED
#undef JOINED_
#undef LANES
