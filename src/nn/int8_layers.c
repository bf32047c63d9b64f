/* int8_layers.c - int8 layers: from scales and weights to the integers that the kernels need.
 *
 * An int8 activation q stands for the real value scale * (q - zero_point), a weight for itself times one scale per
 * output channel, as in TensorFlow Lite (Jacob et al., 2018). So a layer sums integer products, and all scales shrink
 * to two numbers per output channel: a bias in units of the sum, which also corrects for the input's zero point, and a
 * multiplier from the sum to the output. Both are computed once, when the weights are loaded. That is also where the
 * engine proves that no sum of these weights can overflow, whatever the input. */
#include "nn/int8_layers.h"

#include <math.h>
#include <string.h>

enum { MAX_QUADS = 1 << 20 };                            /* keeps the kernels' workspace and indices within 32 bits */
static const double MIN_SCALE = 1e-20, MAX_SCALE = 1e20; /* keeps products of scales within a float */

/* Element `number` of the array "pleura.<graph>.<part>", 0 if there is none. */
static double read_number(const gguf *g, const char *graph, const char *part, int number)
{
    char key[GGUF_MAX_KEY];
    double v = 0;
    gguf_graph_key(key, graph, part);
    gguf_number(&v, g, key, (uint64_t)number);
    return v;
}

pleura_status int8_read_quantisation(net_layer *l, int number, const gguf *g, const char *graph)
{
    double scale = read_number(g, graph, "steps", number), zero_point = read_number(g, graph, "zeros", number);
    int valid = (scale == 0 || (scale > MIN_SCALE && scale < MAX_SCALE)) && zero_point >= 0 && zero_point <= 127;
    if (!valid) return PLEURA_MODEL_DAMAGED;
    l->scale = (float)scale, l->zero_point = (int)zero_point;
    return PLEURA_OK;
}

/* These copy values, so their inputs and output must share scale and zero point. */
static int copies_values(const layer_desc *d)
{
    return d->op == OP_MAXPOOL || d->op == OP_RESIZE || d->op == OP_CONCAT;
}

static int inputs_match(const net *n, const net_layer *l)
{
    for (int i = 0; i < l->d->input_count; i++) {
        const net_layer *in = net_source(n, l, i);
        if (net_is_int8(in) != net_is_int8(net_source(n, l, 0))) return 0;
        if (copies_values(l->d) && (in->scale != l->scale || in->zero_point != l->zero_point)) return 0;
    }
    return 1;
}

/* Whether there is a kernel for the number types of inputs and output. */
static int has_kernel(const net *n, const net_layer *l)
{
    int from = net_is_int8(net_source(n, l, 0)), to = net_is_int8(l), fused = l->d->act <= ACT_RELU6;
    switch (l->d->op) {
    case OP_CONV:
    case OP_DEPTHWISE:
    case OP_DENSE: return from && (!to || fused);
    case OP_MAXPOOL:
    case OP_RESIZE:
    case OP_CONCAT: return to && l->d->mode != RESIZE_LINEAR;
    case OP_ADD: return from && to && fused;
    case OP_GLOBAL_AVGPOOL:
    case OP_DEQUANTISE: return from && !to;
    case OP_QUANTISE: return !from && to;
    default: return 0;
    }
}

static int tiles_along(int size) { return (size + TILE - 1) / TILE; }

/* The layer's window on its bordered input; a dense layer is one window. */
static window_shape kernel_window(const net *n, const net_layer *l)
{
    const layer_desc *d = l->d, *in = net_source(n, l, 0)->d;
    window_shape s = net_window(d, in, in->h + d->pad + d->pad_end, in->w + d->pad + d->pad_end);
    if (d->op == OP_DENSE) s.h = s.w = s.k = s.stride = 1, s.cin = (int)graph_values(in);
    if (l->winograd) s.h = tiles_along(d->h) * TILE + 2, s.w = tiles_along(d->w) * TILE + 2;
    return s;
}

/* Floats that hold the bordered input; 0 if it needs no border. */
static size_t border_size(const net_layer *l, const window_shape *s)
{
    int bordered = l->d->pad || l->d->pad_end || l->winograd;
    return bordered ? arena_floats(((size_t)s->h * (size_t)s->w * (size_t)s->cin + 3) / 4) : 0;
}

static int has_dims(const tensor *t, uint64_t d0, uint64_t d1, uint64_t d2)
{
    uint64_t expected[4] = {d0, d1, d2, 1};
    return memcmp(t->dims, expected, sizeof expected) == 0;
}

/* For output channel o: the sum of its weights, and the largest magnitude that its products can sum to. */
static void sum_weights(int64_t *sum, int64_t *largest, const net_layer *l, int quads, int o)
{
    int depthwise = l->d->op == OP_DEPTHWISE, values = depthwise ? l->d->k * l->d->k : 4 * quads;
    *sum = *largest = 0;
    for (int i = 0; i < values; i++) {
        int v = l->int8.weight[depthwise ? packed_index(o, i, values) : int8_packed_index(o, i, quads)];
        *sum += v, *largest += 127 * (v < 0 ? -v : v);
    }
}

/* Whether the layer can run by Winograd's algorithm and its outputs fill enough of their tiles for that to pay off. */
static int winograd_pays(const net_layer *l, const window_shape *s)
{
    const layer_desc *d = l->d;
    int sizes = d->op == OP_CONV && d->k == 3 && d->stride == 1 && s->cin % 4 == 0 && s->cin >= 8 &&
        d->h * d->w >= 8 * tiles_along(d->h) * tiles_along(d->w);
    for (int o = 0; sizes && o < s->cout; o++) {
        int64_t sum, largest;
        sum_weights(&sum, &largest, l, int8_quads(s), o);
        if (largest >= INT8_MAX_WINOGRAD_SUM) return 0;
    }
    return sizes;
}

static pleura_status check_tensors(net *n, net_layer *l, const gguf *g)
{
    const layer_desc *d = l->d;
    tensor weight, scale, bias;
    window_shape s = kernel_window(n, l);
    uint64_t cout = (uint64_t)d->c_stride, taps = (uint64_t)d->k * (uint64_t)d->k, quads = (uint64_t)int8_quads(&s);
    if (!gguf_tensor(&weight, g, n->graph, d->name, "weight") || !gguf_tensor(&scale, g, n->graph, d->name, "scale") ||
        !gguf_tensor(&bias, g, n->graph, d->name, "bias") || weight.type != TENSOR_I8)
        return PLEURA_MODEL_DAMAGED;
    if (d->op == OP_DEPTHWISE ? taps > INT8_MAX_TAPS : quads > MAX_QUADS) return PLEURA_MODEL_UNSUPPORTED;
    int fits = d->op == OP_DEPTHWISE ? has_dims(&weight, 4, taps, cout / 4) : has_dims(&weight, 16, quads, cout / 4);
    if (!fits || !has_dims(&scale, cout, 1, 1) || !has_dims(&bias, cout, 1, 1)) return PLEURA_MODEL_DAMAGED;
    l->int8.weight = (const int8_t *)weight.data;
    l->winograd = winograd_pays(l, &s);
    size_t pairs = l->winograd ? (size_t)s.cin * (size_t)cout / 2 : 0; /* two int16_t are as long as a float */
    n->weights += 2 * arena_floats((size_t)cout) + TILE_POSITIONS * pairs;
    if (cout > n->staging) n->staging = (size_t)cout;
    return PLEURA_OK;
}

static pleura_status check(net *n, net_layer *l, const gguf *g)
{
    if (!inputs_match(n, l) || !has_kernel(n, l)) return PLEURA_MODEL_DAMAGED;
    if (l->d->pad_left != l->d->pad || l->d->pad_right != l->d->pad_end) return PLEURA_MODEL_UNSUPPORTED;
    return graph_has_weights(l->d) ? check_tensors(n, l, g) : PLEURA_OK;
}

/* From the scales in l->int8.multiplier and the real bias: what int8.h wants in bias and multiplier. Fails if a sum
 * could overflow 32 bits, or a scaled sum the kernels' rounding. */
static pleura_status fold_scales(const net *n, net_layer *l, const window_shape *s, const float *real_bias)
{
    const net_layer *in = net_source(n, l, 0);
    for (int o = 0; o < s->cout; o++) {
        int64_t sum, largest;
        sum_weights(&sum, &largest, l, int8_quads(s), o);
        double unit = (double)in->scale * l->int8.multiplier[o]; /* the real value of 1 in a sum */
        double start = unit > 0 ? rint(real_bias[o] / unit) - in->zero_point * (double)sum : INFINITY;
        double max_sum = (double)largest + fabs(start), multiplier = net_is_int8(l) ? unit / l->scale : unit;
        int fits = max_sum < INT32_MAX && (!net_is_int8(l) || max_sum * multiplier < INT8_MAX_SCALED_SUM);
        if (!fits) return PLEURA_MODEL_DAMAGED;
        l->int8.bias[o] = (int32_t)start, l->int8.multiplier[o] = (float)multiplier;
    }
    return PLEURA_OK;
}

/* G g G' of each window without its divisors: [cout/4][9 * cin/4][4][4] becomes [36][cout/4][cin/4][4][4]. */
static void transform_weights(int16_t *out, const int8_t *weight, int cin, int cout)
{
    static const int8_t g[TILE_IN][3] = {{1, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {1, -2, 4}, {0, 0, 1}};
    int row = 4 * cin, plane = cin * cout;
    for (int block = 0; block < cout / 4; block++, weight += 9 * row)
        for (int i = 0; i < row; i++, out++) {
            int half[TILE_IN][3];
            for (int v = 0; v < TILE_IN; v++)
                for (int x = 0; x < 3; x++) {
                    const int8_t *at = weight + x * row + i;
                    half[v][x] = g[v][0] * at[0] + g[v][1] * at[3 * row] + g[v][2] * at[6 * row];
                }
            for (int p = 0; p < TILE_POSITIONS; p++) {
                const int *h = half[p / TILE_IN];
                const int8_t *across = g[p % TILE_IN];
                out[p * plane] = (int16_t)(across[0] * h[0] + across[1] * h[1] + across[2] * h[2]);
            }
        }
}

static pleura_status load(const net *n, net_layer *l, const gguf *g, arena *a)
{
    tensor w, scale, b; /* present and valid: check has seen them */
    (void)gguf_tensor(&w, g, n->graph, l->d->name, "weight");
    (void)gguf_tensor(&scale, g, n->graph, l->d->name, "scale");
    (void)gguf_tensor(&b, g, n->graph, l->d->name, "bias");
    const int8_t *weight = (const int8_t *)w.data;
    window_shape s = kernel_window(n, l);
    size_t cout = (size_t)s.cout;
    int32_t *bias = arena_take(a, cout, sizeof *bias);
    float *multiplier = arena_take(a, cout, sizeof *multiplier);
    int16_t *winograd = l->winograd ? arena_take(a, TILE_POSITIONS * (size_t)s.cin * cout, sizeof *winograd) : NULL;
    arena staging = *a;
    float *real_bias = arena_take(&staging, cout, sizeof *real_bias);
    if (!bias || !multiplier || !real_bias || (l->winograd && !winograd)) return PLEURA_MEMORY;
    if (!gguf_to_float(multiplier, &scale) || !gguf_to_float(real_bias, &b)) return PLEURA_MODEL_DAMAGED;
    if (winograd) transform_weights(winograd, weight, s.cin, s.cout);
    l->int8 = (int8_weights){weight, winograd, bias, multiplier};
    return fold_scales(n, l, &s, real_bias);
}

static size_t workspace(const net *n, const net_layer *l)
{
    window_shape s = kernel_window(n, l);
    size_t size = 0;
    if (l->winograd) size = int8_winograd_workspace(s.cin);
    else if (l->d->op == OP_CONV || l->d->op == OP_DENSE) size = int8_workspace(int8_quads(&s));
    return border_size(l, &s) + arena_floats(size / sizeof(float));
}

/* The smallest and largest output that the activation allows. */
static void output_range(int *min, int *max, const net_layer *l)
{
    double six = l->d->act == ACT_RELU6 && net_is_int8(l) ? l->zero_point + rint(6 / (double)l->scale) : 127;
    *min = l->d->act ? l->zero_point : 0;
    *max = six < 127 ? (int)six : 127;
}

/* Copies the input into a bordered field whose padding stands for 0 (for maxpool: for less than any value). */
static void add_border(uint8_t *out, const net_layer *l, const net_layer *in, const window_shape *s)
{
    size_t line = (size_t)s->w * (size_t)s->cin, row = (size_t)in->d->w * (size_t)s->cin;
    const uint8_t *from = (const uint8_t *)in->out;
    memset(out, l->d->op == OP_MAXPOOL ? 0 : in->zero_point, (size_t)s->h * line);
    out += (size_t)l->d->pad * line + (size_t)(l->d->pad * s->cin);
    for (int y = 0; y < in->d->h; y++) memcpy(out + (size_t)y * line, from + (size_t)y * row, row);
}

/* Conv, depthwise, dense and maxpool. */
static void run_window(const net *n, const net_layer *l, const int8_kernels *k)
{
    const net_layer *in = net_source(n, l, 0);
    const uint8_t *from = (const uint8_t *)in->out;
    int8_shape s = {
        .window = kernel_window(n, l), .dot = &k->dot, .to_int8 = net_is_int8(l), .zero_point = l->zero_point};
    output_range(&s.min, &s.max, l);
    size_t border = border_size(l, &s.window);
    if (border) {
        add_border((uint8_t *)n->work, l, in, &s.window);
        from = (const uint8_t *)n->work;
    }
    if (l->d->op == OP_MAXPOOL) k->maxpool((uint8_t *)l->out, from, &s.window);
    else if (l->d->op == OP_DEPTHWISE) k->depthwise(l->out, from, &l->int8, &s);
    else if (l->winograd) k->conv_winograd(l->out, from, &l->int8, &s, n->work + border);
    else k->conv(l->out, from, &l->int8, &s, n->work + border);
}

/* out = a + b in fixed point: the factors are the inputs' scales over the output's, times 2^shift. */
static void run_add(const net_layer *l, const net_layer *a, const net_layer *b, const int8_kernels *k)
{
    double ratio_a = (double)a->scale / l->scale, ratio_b = (double)b->scale / l->scale;
    double max_ratio = ratio_a > ratio_b ? ratio_a : ratio_b;
    int8_sum s = {.shift = 15};
    while (s.shift > 1 && max_ratio * (1 << s.shift) > INT16_MAX)
        s.shift--; /* the largest for which both fit 16 bits */
    double one = 1 << s.shift;
    s.factor_a = ratio_a * one < INT16_MAX ? (int)(ratio_a * one + 0.5) : INT16_MAX;
    s.factor_b = ratio_b * one < INT16_MAX ? (int)(ratio_b * one + 0.5) : INT16_MAX;
    int half = 1 << (s.shift - 1); /* rounds instead of cutting off */
    s.offset = (l->zero_point << s.shift) + half - a->zero_point * s.factor_a - b->zero_point * s.factor_b;
    output_range(&s.min, &s.max, l);
    k->add((uint8_t *)l->out, (const uint8_t *)a->out, (const uint8_t *)b->out, (int)graph_values(l->d), &s);
}

static void run(const net *n, const net_layer *l, const kernels *kernel)
{
    const int8_kernels *k = kernel->int8;
    const net_layer *in = net_source(n, l, 0);
    const uint8_t *from = (const uint8_t *)in->out;
    int size = (int)graph_values(l->d), pixels = in->d->h * in->d->w;
    switch (l->d->op) {
    case OP_ADD: run_add(l, in, net_source(n, l, 1), k); break;
    case OP_GLOBAL_AVGPOOL: k->global_avgpool(l->out, from, pixels, in->d->c_stride, in->scale, in->zero_point); break;
    case OP_QUANTISE: k->quantise((uint8_t *)l->out, in->out, size, 1 / l->scale, l->zero_point); break;
    case OP_DEQUANTISE: k->dequantise(l->out, from, size, in->scale, in->zero_point); break;
    default: run_window(n, l, k);
    }
}

const layer_ops int8_layers = {check, workspace, load, run};
