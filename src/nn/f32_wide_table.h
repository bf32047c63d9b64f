/* f32_wide_table.h - the kernels of a table (f32.h) out of the strips of f32_wide.h, the widest strips first. WIDEST is
 * 8 in f32_avx2.c, 16 in f32_avx512.c. The pools and passes that are not here gain nothing from wide vectors. */
#if WIDEST == 16
#define IF_16(statement) statement
#else
#define IF_16(statement)
#endif

/* Runs CALL(lanes) for each strip of channels from `o` on. */
#define STRIPS(channels, CALL)                               \
    do {                                                     \
        int o = 0;                                           \
        IF_16(for (; o + 16 <= channels; o += 16) CALL(16);) \
        for (; o + 8 <= channels; o += 8) CALL(8);           \
        if (o < channels) CALL(4);                           \
    } while (0)

static void conv(float *out, const float *in, const float *w, const float *bias, const window_shape *s)
{
    int o = 0, c = s->cout;
#if WIDEST == 16
    for (; o + 32 <= c; o += 32) conv_16(out, in, w, bias, s, o, 2);
    if (o + 16 <= c) conv_16(out, in, w, bias, s, o, 1), o += 16;
#else
    for (; o + 16 <= c; o += 16) conv_8(out, in, w, bias, s, o, 2);
#endif
    if (o + 8 <= c) conv_8(out, in, w, bias, s, o, 1), o += 8;
    if (o < c) conv_4(out, in, w, bias, s, o, 1);
}

static void windows(float *out, const float *in, int corner, const float *w, const float *bias, const taps *t,
                    const spacing *next, const window_shape *s)
{
#define CALL(lanes) depthwise_##lanes(out, in, corner, w, bias, t, next, s, o)
    STRIPS(s->cout, CALL);
#undef CALL
}

static void depthwise(float *out, const float *in, const float *w, const float *bias, const window_shape *s)
{
    walk_depthwise(out, in, w, bias, s, windows);
}

static void maxpool(float *out, const float *in, const window_shape *s)
{
#define CALL(lanes) maxpool_##lanes(out, in, s, o)
    STRIPS(s->cout, CALL);
#undef CALL
}

static void global_avgpool(float *out, const float *in, int pixels, int c)
{
#define CALL(lanes) global_avgpool_##lanes(out, in, pixels, c, o)
    STRIPS(c, CALL);
#undef CALL
}

static void winograd_input(float *out, const float *in, const winograd_shape *s)
{
#define CALL(lanes) winograd_input_##lanes(out, in, s, n, o)
    for (int n = 0; n < s->count; n++) STRIPS(s->channels, CALL);
#undef CALL
}

static void winograd_output(float *out, const float *in, const float *bias, const winograd_shape *s)
{
#define CALL(lanes) winograd_output_##lanes(out, in, bias, s, n, o)
    for (int n = 0; n < s->count; n++) STRIPS(s->channels, CALL);
#undef CALL
}

static void add(float *out, const float *a, const float *b, int n, activation act)
{
#define CALL(lanes) put_##lanes(out + o, sum_##lanes(a + o, b + o), act)
    STRIPS(n, CALL);
#undef CALL
}

static void avgpool(float *out, const float *in, const window_shape *s) { kernels_simd.avgpool(out, in, s); }

static void mul(float *out, const float *a, const float *b, int pixels, int c)
{
    kernels_simd.mul(out, a, b, pixels, c);
}

static void activate(float *v, int n, activation act) { kernels_simd.activate(v, n, act); }

static void resize_bilinear(float *out, const float *in, int h, int w, int c, int scale)
{
    kernels_simd.resize_bilinear(out, in, h, w, c, scale);
}
