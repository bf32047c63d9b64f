/* f32_layers.c - float layers: which kernel computes each, and the bordered input that the kernel reads.
 *
 * The kernels do not check for borders, so a padded layer first copies its input into the workspace, surrounded by
 * padding. A 3 x 3 convolution at stride 1 usually runs by Winograd's algorithm: its output is cut into tiles of 4 x 4,
 * each tile's input is transformed, the 36 transformed planes are multiplied by transformed weights as 36 small matrix
 * products, and the results are transformed back. The weights are transformed once, when they are loaded. */
#include "nn/f32_layers.h"
#include "nn/simd.h"

#include <float.h>
#include <string.h>

/* Winograd pays off for 3 x 3 windows at stride 1 once there are enough channels to amortise the transforms and enough
 * tiles to amortise the weights, which become four times as large. Both minimums are measured. */
enum { WINOGRAD_MIN_PIXELS = 40, WINOGRAD_MIN_CHANNELS = 8 };

static int winograd_pays(const layer_desc *d, const layer_desc *in)
{
    return d->op == OP_CONV && d->k == 3 && d->stride == 1 && in->c_stride % 4 == 0 &&
        in->c_stride >= WINOGRAD_MIN_CHANNELS && d->h * d->w >= WINOGRAD_MIN_PIXELS;
}

static int tiles_along(int size) { return (size + TILE - 1) / TILE; }

/* Tiles that go through the three steps together: their transforms should stay in the second-level cache, and there are
 * enough to amortise reading the weights of wide layers from the third. */
static int tiles_per_group(const layer_desc *d, const layer_desc *in)
{
    enum { GROUP_FLOATS = 1 << 17 };
    int fit = GROUP_FLOATS / (TILE_POSITIONS * (in->c_stride + d->c_stride)) / 4 * 4;
    return fit < 16 ? 16 : fit > 64 ? 64 : fit;
}

/* Depthwise kernels skip the padding themselves if it is the same above and to the left. */
static int needs_border(const net_layer *l)
{
    if (l->d->op == OP_DEPTHWISE) return l->d->pad != l->d->pad_left;
    return l->winograd || graph_is_padded(l->d);
}

/* The size of the input as the kernel reads it. The last Winograd tiles may reach beyond the padding. */
static void bordered_size(int *h, int *w, const net_layer *l, const layer_desc *in)
{
    const layer_desc *d = l->d;
    int border = needs_border(l);
    *h = l->winograd ? tiles_along(d->h) * TILE + 2 : in->h + border * (d->pad + d->pad_end);
    *w = l->winograd ? tiles_along(d->w) * TILE + 2 : in->w + border * (d->pad_left + d->pad_right);
}

/* Values of the weight in memory: those of the tensor, or transformed ones, 36 for each 3 x 3 window. */
static size_t weight_size(const net_layer *l, const tensor *weight)
{
    return l->winograd ? (size_t)weight->count / 9 * TILE_POSITIONS : (size_t)weight->count;
}

static pleura_status check_tensors(net *n, net_layer *l, const gguf *g)
{
    const layer_desc *d = l->d;
    tensor weight, bias;
    int k;
    uint64_t cin, cout = (uint64_t)d->c_stride;
    graph_window(&k, &cin, d, n->descs);
    if (!gguf_tensor(&weight, g, n->graph, d->name, "weight") || !gguf_tensor(&bias, g, n->graph, d->name, "bias"))
        return PLEURA_MODEL_DAMAGED;
    uint64_t side = (uint64_t)k, plain[4] = {4 * cin, side, side, cout / 4},
             blocks[4] = {4 * cin * side * side, cout / 4, 1, 1};
    if (weight.type == TENSOR_I8 ||
        memcmp(weight.dims, weight.type == TENSOR_Q8_0 ? blocks : plain, sizeof plain) != 0 || bias.count != cout ||
        bias.dims[0] != cout)
        return PLEURA_MODEL_DAMAGED;
    l->winograd = winograd_pays(d, net_source(n, l, 0)->d);
    n->weights += arena_floats(weight_size(l, &weight)) + arena_floats((size_t)bias.count);
    if (l->winograd && weight.count > n->staging) n->staging = arena_floats((size_t)weight.count);
    return PLEURA_OK;
}

static pleura_status check(net *n, net_layer *l, const gguf *g)
{
    if (l->d->op == OP_QUANTISE || l->d->op == OP_DEQUANTISE) return PLEURA_MODEL_DAMAGED; /* one side must be int8 */
    return graph_has_weights(l->d) ? check_tensors(n, l, g) : PLEURA_OK;
}

static size_t workspace(const net *n, const net_layer *l)
{
    const layer_desc *in = net_source(n, l, 0)->d;
    int h, w;
    if (!needs_border(l)) return 0;
    bordered_size(&h, &w, l, in);
    size_t bordered = arena_floats((size_t)h * (size_t)w * (size_t)in->c_stride);
    size_t planes = l->winograd ? (size_t)tiles_per_group(l->d, in) * TILE_POSITIONS : 0;
    return bordered + planes * (size_t)(in->c_stride + l->d->c_stride);
}

static v128_t over(v128_t a, float divisor) { return wasm_f32x4_div(a, wasm_f32x4_splat(divisor)); }

/* G g: three values `step` apart become six that lie `to` apart. */
static void transform_three(v128_t *t, int to, const v128_t *g, int step)
{
    v128_t first = g[0], last = g[2 * step], middle = over(g[step], 6), half = over(g[step], 12);
    v128_t sum = over(wasm_f32x4_add(first, last), 6), far = wasm_f32x4_add(over(first, 24), over(last, 6));
    t[0] = over(first, 4);
    t[to] = wasm_f32x4_sub(wasm_f32x4_neg(sum), middle), t[2 * to] = wasm_f32x4_sub(middle, sum);
    t[3 * to] = wasm_f32x4_add(far, half), t[4 * to] = wasm_f32x4_sub(far, half);
    t[5 * to] = last;
}

/* G g G' of each window: [blocks][3][3][cin][4] becomes [36][blocks][cin][4]. */
static void transform_weights(float *out, const float *weight, int cin, int blocks)
{
    int row = cin * 4;
    for (int block = 0; block < blocks; block++)
        for (int i = 0; i < row; i += 4) {
            v128_t g[9], half[3 * TILE_IN], whole[TILE_POSITIONS];
            for (int n = 0; n < 9; n++) g[n] = wasm_v128_load(weight + (block * 9 + n) * row + i);
            for (int x = 0; x < 3; x++) transform_three(half + x, 3, g + x, 3);
            for (int v = 0; v < TILE_IN; v++) transform_three(whole + v * TILE_IN, 1, half + v * 3, 1);
            for (int p = 0; p < TILE_POSITIONS; p++)
                wasm_v128_store(out + ((size_t)p * (size_t)blocks + (size_t)block) * (size_t)row + (size_t)i, whole[p]);
        }
}

static pleura_status load(const net *n, net_layer *l, const gguf *g, arena *a)
{
    const layer_desc *d = l->d;
    tensor weight, bias; /* present and valid: check has seen them */
    (void)gguf_tensor(&weight, g, n->graph, d->name, "weight");
    (void)gguf_tensor(&bias, g, n->graph, d->name, "bias");
    l->weight = arena_take(a, weight_size(l, &weight), sizeof(float));
    l->bias = arena_take(a, (size_t)bias.count, sizeof(float));
    arena staging = *a;
    float *plain = l->winograd ? arena_take(&staging, (size_t)weight.count, sizeof(float)) : l->weight;
    if (!l->weight || !l->bias || !plain) return PLEURA_MEMORY;
    if (!gguf_to_float(plain, &weight) || !gguf_to_float(l->bias, &bias)) return PLEURA_MODEL_DAMAGED;
    if (l->winograd) transform_weights(l->weight, plain, net_source(n, l, 0)->d->c_stride, d->c_stride / 4);
    return PLEURA_OK;
}

static void fill(float *out, size_t count, float v)
{
    for (size_t i = 0; i < count; i++) out[i] = v;
}

/* Copies the input into a field of `value`, h x w pixels; d says where its upper left corner lies. */
static void add_border(float *out, const net_layer *in, const layer_desc *d, int h, int w, float value)
{
    int pad = d->pad;
    size_t channels = (size_t)in->d->c_stride, row = (size_t)in->d->w * channels, left = (size_t)d->pad_left * channels;
    size_t line = (size_t)w * channels, right = line - left - row;
    const float *from = in->out;
    fill(out, (size_t)pad * line, value);
    out += (size_t)pad * line;
    for (int y = 0; y < in->d->h; y++, out += line) {
        fill(out, left, value);
        memcpy(out + left, from + (size_t)y * row, row * sizeof *out);
        fill(out + left + row, right, value);
    }
    fill(out, (size_t)(h - pad - in->d->h) * line, value);
}

/* By groups of tiles: transform the input, multiply each of the 36 planes by its weights, transform back. */
static void run_winograd(const net_layer *l, const layer_desc *in, const float *bordered, float *planes,
                         const kernels *k)
{
    static const float no_bias[GRAPH_MAX_DIM];
    const layer_desc *d = l->d;
    int group = tiles_per_group(d, in), across = tiles_along(d->w), all = across * tiles_along(d->h);
    float *from = planes, *to = planes + (size_t)group * TILE_POSITIONS * (size_t)in->c_stride;
    for (int first = 0; first < all; first += group) {
        int count = all - first < group ? all - first : group;
        winograd_shape s = {across * TILE + 2, across, d->h, d->w, first, count, in->c_stride, 0};
        k->winograd_input(from, bordered, &s);
        window_shape plane = {1, count, in->c_stride, 1, count, d->c_stride, 1, 1, 0, 0};
        for (size_t p = 0; p < TILE_POSITIONS; p++)
            k->conv(to + p * (size_t)(count * d->c_stride), from + p * (size_t)(count * in->c_stride),
                    l->weight + p * (size_t)(in->c_stride * d->c_stride), no_bias, &plane);
        s.channels = d->c_stride, s.act = d->act;
        k->winograd_output(l->out, to, l->bias, &s);
    }
}

/* Conv, depthwise and the pools. */
static void run_window(const net *n, const net_layer *l, const kernels *k)
{
    const net_layer *source = net_source(n, l, 0);
    const layer_desc *d = l->d, *in = source->d;
    const float *from = source->out;
    int h, w;
    bordered_size(&h, &w, l, in);
    if (needs_border(l)) {
        add_border(n->work, source, d, h, w, d->op == OP_MAXPOOL ? -FLT_MAX : 0);
        from = n->work;
    }
    window_shape s = net_window(d, in, h, w);
    if (d->op == OP_DEPTHWISE && !needs_border(l)) s.pad = d->pad;
    if (l->winograd) run_winograd(l, in, from, n->work + arena_floats((size_t)h * (size_t)w * (size_t)in->c_stride), k);
    else if (d->op == OP_CONV) k->conv(l->out, from, l->weight, l->bias, &s);
    else if (d->op == OP_DEPTHWISE) k->depthwise(l->out, from, l->weight, l->bias, &s);
    else if (d->op == OP_AVGPOOL) k->avgpool(l->out, from, &s);
    else k->maxpool(l->out, from, &s);
}

static void run(const net *n, const net_layer *l, const kernels *k)
{
    const layer_desc *d = l->d, *in = net_source(n, l, 0)->d;
    const float *from = net_source(n, l, 0)->out, *other = net_source(n, l, 1)->out;
    int size = (int)graph_values(d);
    switch (d->op) {
    case OP_CONV:
    case OP_DEPTHWISE:
    case OP_MAXPOOL:
    case OP_AVGPOOL: run_window(n, l, k); break;
    case OP_RESIZE: k->resize_bilinear(l->out, from, in->h, in->w, in->c_stride, d->scale); break;
    case OP_ADD: k->add(l->out, from, other, size, d->act); break;
    case OP_MUL: {
        int c = (int)graph_values(net_source(n, l, 1)->d); /* the gates of one pixel, or a factor for every value */
        k->mul(l->out, from, other, size / c, c);
        break;
    }
    case OP_ACT: memcpy(l->out, from, (size_t)size * sizeof *from); break; /* net_step activates in place */
    case OP_GLOBAL_AVGPOOL: k->global_avgpool(l->out, from, in->h * in->w, in->c_stride); break;
    case OP_DENSE: {
        window_shape s = {1, 1, (int)graph_values(in), 1, 1, d->c_stride, 1, 1, d->act, 0};
        k->conv(l->out, from, l->weight, l->bias, &s);
        break;
    }
    case OP_INPUT:
    case OP_CONCAT: /* net_step does these two, */
    case OP_QUANTISE:
    case OP_DEQUANTISE: break; /* and int8_layers these. */
    }
}

const layer_ops f32_layers = {check, workspace, load, run};
