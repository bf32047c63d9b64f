/* net.c - layers to weights and places in the arena, and the walk over them. */
#include "nn/net.h"

#include "nn/int8_layers.h"

#include <float.h>
#include <string.h>

enum { TILE_LEAST_PIXELS = 40, TILE_FLOATS = 1 << 16 };
static const uint64_t MAX_WORK = (uint64_t)1 << 38; /* half a minute or so for one film: 16 times VGG-16 */

static int has_weights(const graph_layer *l) { return l->op == OP_CONV || l->op == OP_DEPTHWISE || l->op == OP_DENSE; }

/* What a layer with weights sums over: window and channels of its input. */
static void kernel_shape(int *k, uint64_t *cin, const graph_layer *l, const net *n)
{
    const graph_layer *in = n->layers + l->inputs[0];
    *k = l->op == OP_DENSE ? 1 : l->k;
    *cin = l->op == OP_DENSE ? graph_values(in) : l->op == OP_DEPTHWISE ? 1 : (uint64_t)in->lanes;
}

/* Tiles pay for 3 x 3 windows at stride 1 once their transforms serve enough channels and their weights, four times as
 * many, enough tiles. Both numbers are measured. */
static int tiles_pay(const graph_layer *l, const graph_layer *in)
{
    return l->op == OP_CONV && l->k == 3 && l->stride == 1 && in->lanes % 4 == 0 && in->lanes >= 8 &&
        l->h * l->w >= TILE_LEAST_PIXELS;
}

static int tiles_over(int size) { return (size + TILE - 1) / TILE; }

/* Tiles that go through the three steps together: their transforms should stay in the second-level cache. */
static int tiles_at_once(const graph_layer *l, const graph_layer *in)
{
    int fit = TILE_FLOATS / (TILE_POSITIONS * (in->lanes + l->lanes)) / 4 * 4;
    return fit < 8 ? 8 : fit > 64 ? 64 : fit;
}

static int needs_border(const graph_layer *l) { return l->tiled || (l->op != OP_DEPTHWISE && (l->pad || l->after)); }

/* The size of what a window layer reads. Tiles that reach beyond the output need more than the padding. */
static void bordered_size(int *h, int *w, const graph_layer *l, const graph_layer *in)
{
    int around = needs_border(l) ? l->pad + l->after : 0;
    *h = l->tiled ? tiles_over(l->h) * TILE + 2 : in->h + around;
    *w = l->tiled ? tiles_over(l->w) * TILE + 2 : in->w + around;
}

static int reads_bytes(const net *n, const graph_layer *l)
{
    return l->input_count && n->layers[l->inputs[0]].step > 0;
}

static pleura_status check_tensors(net *n, graph_layer *l, const gguf *g)
{
    tensor w, b;
    int k;
    uint64_t cin, cout = (uint64_t)l->lanes;
    kernel_shape(&k, &cin, l, n);
    if (!gguf_tensor(&w, g, n->graph, l->name, "weight") || !gguf_tensor(&b, g, n->graph, l->name, "bias"))
        return PLEURA_MODEL_DAMAGED;
    uint64_t side = (uint64_t)k, plain[5] = {4, cin, side, side, cout / 4},
             blocks[5] = {4 * cin * side * side, cout / 4, 1, 1, 1};
    if (w.kind == TENSOR_I8 || memcmp(w.dims, w.kind == TENSOR_Q8_0 ? blocks : plain, sizeof plain) != 0 ||
        b.count != cout || b.dims[0] != cout)
        return PLEURA_MODEL_DAMAGED;
    l->tiled = tiles_pay(l, n->layers + l->inputs[0]);
    size_t kept = l->tiled ? (size_t)w.count / 9 * TILE_POSITIONS : (size_t)w.count;
    n->weights += arena_floats(kept) + arena_floats((size_t)b.count);
    if (l->tiled && w.count > n->staging) n->staging = arena_floats((size_t)w.count);
    return PLEURA_OK;
}

/* Floats that hold the output. */
static size_t output_size(const graph_layer *l)
{
    size_t values = graph_values(l);
    return arena_floats(l->step > 0 ? (values + 3) / 4 : values);
}

/* Floats that a layer needs besides its input and output. */
static size_t scratch_of(const graph_layer *l, const graph_layer *in)
{
    int h, w;
    if (!needs_border(l)) return 0;
    bordered_size(&h, &w, l, in);
    size_t bordered = arena_floats((size_t)h * (size_t)w * (size_t)in->lanes);
    size_t tiles = l->tiled ? (size_t)tiles_at_once(l, in) * TILE_POSITIONS : 0;
    return bordered + tiles * (size_t)(in->lanes + l->lanes);
}

/* Products, or for a layer without weights the values that it looks at. */
static uint64_t work_of(const net *n, int i)
{
    const graph_layer *l = n->layers + i;
    uint64_t window = l->op == OP_MAXPOOL || l->op == OP_AVGPOOL ? (uint64_t)(l->k * l->k) : 1;
    return has_weights(l) ? net_products(n, i) : graph_values(l) * window;
}

/* First fit: the lowest place that no output still in use covers. */
static void plan(net *n)
{
    for (int i = 0; i < n->count; i++) {
        graph_layer *l = n->layers + i;
        size_t size = output_size(l), place = 0;
        for (int j = 0; j < i; j++) {
            const graph_layer *other = n->layers + j;
            size_t end = other->place + output_size(other);
            if (other->last_use < i || other->place >= place + size || end <= place) continue;
            place = end;
            j = -1; /* look at all of them again */
        }
        l->place = place;
        if (place + size > n->activations) n->activations = place + size;
        size_t scratch = reads_bytes(n, l) ? bytes_scratch(l, n->layers) : scratch_of(l, n->layers + l->inputs[0]);
        if (scratch > n->scratch) n->scratch = scratch;
    }
}

pleura_status net_parse(net *n, const gguf *g, const char *graph, const char *const *keep)
{
    char key[64] = "pleura.";
    text line;
    uint64_t work = 0;
    *n = (net){.graph = graph};
    strcat(strncat(key, graph, 32), ".graph");
    uint64_t lines = gguf_count(g, key);
    if (lines < 2) return PLEURA_MODEL_DAMAGED;
    if (lines > GRAPH_MAX_LAYERS) return PLEURA_MODEL_UNSUPPORTED;
    for (; n->count < (int)lines; n->count++) {
        graph_layer *l = n->layers + n->count;
        if (!gguf_text(&line, g, key, (uint64_t)n->count)) return PLEURA_MODEL_DAMAGED;
        pleura_status status = graph_read(n->layers, n->count, line);
        if (!status) status = bytes_read_step(n->layers, n->count, g, graph);
        if (!status && has_weights(l))
            status = reads_bytes(n, l) ? bytes_check(l, n->layers, g, graph, &n->weights, &n->staging)
                                       : check_tensors(n, l, g);
        if (!status && n->weights > GRAPH_MAX_FLOATS) status = PLEURA_MODEL_DAMAGED;
        if (status) return status;
        if ((work += work_of(n, n->count)) > MAX_WORK) return PLEURA_MODEL_UNSUPPORTED;
        for (int i = 0; i < l->input_count; i++) n->layers[l->inputs[i]].last_use = n->count;
    }
    for (; *keep; keep++) {
        graph_layer *l = net_find(n, *keep);
        if (l) l->last_use = n->count;
    }
    plan(n);
    return n->activations > GRAPH_MAX_FLOATS || n->scratch > GRAPH_MAX_FLOATS ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

/* G g: three values `step` apart to six `to` apart. */
static void transform_three(float *t, int to, const float *g, int step)
{
    float sum = (g[0] + g[2 * step]) / 6, middle = g[step] / 6;
    float far = g[0] / 24 + g[2 * step] / 6, half = g[step] / 12;
    t[0] = g[0] / 4;
    t[to] = -sum - middle, t[2 * to] = middle - sum;
    t[3 * to] = far + half, t[4 * to] = far - half;
    t[5 * to] = g[2 * step];
}

/* [blocks][3][3][cin][4] to [36][blocks][cin][4]. */
static void transform_weights(float *out, const float *weight, int cin, int blocks)
{
    int row = cin * 4;
    for (int block = 0; block < blocks; block++)
        for (int i = 0; i < row; i++) {
            const float *g = weight + block * 9 * row + i;
            float half[3 * TILE_IN], whole[TILE_POSITIONS];
            for (int x = 0; x < 3; x++) transform_three(half + x, 3, g + x * row, 3 * row);
            for (int v = 0; v < TILE_IN; v++) transform_three(whole + v * TILE_IN, 1, half + v * 3, 1);
            for (int p = 0; p < TILE_POSITIONS; p++)
                out[((size_t)p * (size_t)blocks + (size_t)block) * (size_t)row + (size_t)i] = whole[p];
        }
}

pleura_status net_load(net *n, const gguf *g, arena *a)
{
    for (int i = 0; i < n->count; i++) {
        graph_layer *l = n->layers + i;
        tensor w, b;
        if (!has_weights(l)) continue;
        if (reads_bytes(n, l)) {
            pleura_status status = bytes_load(l, n->layers, g, n->graph, a);
            if (status) return status;
            continue;
        }
        gguf_tensor(&w, g, n->graph, l->name, "weight"); /* there and right: net_parse has checked */
        gguf_tensor(&b, g, n->graph, l->name, "bias");
        size_t kept = l->tiled ? (size_t)w.count / 9 * TILE_POSITIONS : (size_t)w.count;
        l->weight = arena_take(a, kept, sizeof(float));
        l->bias = arena_take(a, (size_t)b.count, sizeof(float));
        arena mark = *a;
        float *plain = l->tiled ? arena_take(a, (size_t)w.count, sizeof(float)) : l->weight;
        if (!l->weight || !l->bias || !plain) return PLEURA_MEMORY;
        if (!gguf_widen(plain, &w) || !gguf_widen(l->bias, &b)) return PLEURA_MODEL_DAMAGED;
        if (l->tiled) transform_weights(l->weight, plain, n->layers[l->inputs[0]].lanes, l->lanes / 4);
        *a = mark;
    }
    return PLEURA_OK;
}

pleura_status net_place(net *n, arena *a)
{
    n->base = arena_take(a, n->activations, sizeof(float));
    n->padded = arena_take(a, n->scratch, sizeof(float));
    if (!n->base || !n->padded) return PLEURA_MEMORY;
    for (int i = 0; i < n->count; i++) n->layers[i].out = n->base + n->layers[i].place;
    return PLEURA_OK;
}

static void fill_with(float *out, size_t count, float v)
{
    for (size_t i = 0; i < count; i++) out[i] = v;
}

/* The input in a field of `fill`, h x w pixels, `pad` from its upper left corner. */
static const float *add_border(float *out, const graph_layer *in, int pad, int h, int w, float fill)
{
    size_t lanes = (size_t)in->lanes, row = (size_t)in->w * lanes, left = (size_t)pad * lanes;
    size_t whole = (size_t)w * lanes, right = whole - left - row;
    float *to = out;
    fill_with(to, (size_t)pad * whole, fill);
    to += (size_t)pad * whole;
    for (int y = 0; y < in->h; y++, to += whole) {
        fill_with(to, left, fill);
        memcpy(to + left, in->out + (size_t)y * row, row * sizeof *to);
        fill_with(to + left + row, right, fill);
    }
    fill_with(to, (size_t)(h - pad - in->h) * whole, fill);
    return out;
}

/* In groups of tiles: transform, multiply each position's plane by its weights, transform back. */
static void run_tiles(const graph_layer *l, const graph_layer *in, const float *bordered, float *room,
                      const kernels *kernel)
{
    static const float no_bias[GRAPH_MAX_DIM];
    int group = tiles_at_once(l, in), across = tiles_over(l->w), all = across * tiles_over(l->h);
    float *from = room, *to = room + (size_t)group * TILE_POSITIONS * (size_t)in->lanes;
    for (int first = 0; first < all; first += group) {
        int count = all - first < group ? all - first : group;
        tile_shape s = {across * TILE + 2, across, l->h, l->w, first, count, in->lanes, 0};
        kernel->tiles_in(from, bordered, &s);
        window_shape plane = {1, count, in->lanes, 1, count, l->lanes, 1, 1, 0, 0};
        for (size_t p = 0; p < TILE_POSITIONS; p++)
            kernel->conv(to + p * (size_t)(count * l->lanes), from + p * (size_t)(count * in->lanes),
                         l->weight + p * (size_t)(in->lanes * l->lanes), no_bias, &plane);
        s.channels = l->lanes, s.act = l->act;
        kernel->tiles_out(l->out, to, l->bias, &s);
    }
}

static void run_window(const net *n, const graph_layer *l, const kernels *kernel)
{
    const graph_layer *in = n->layers + l->inputs[0];
    int h, w;
    bordered_size(&h, &w, l, in);
    float fill = l->op == OP_MAXPOOL ? -FLT_MAX : 0;
    const float *from = needs_border(l) ? add_border(n->padded, in, l->pad, h, w, fill) : in->out;
    window_shape s = {h,        w,    in->lanes, l->h,   l->w,
                      l->lanes, l->k, l->stride, l->act, l->op == OP_DEPTHWISE ? l->pad : 0};
    if (l->tiled) run_tiles(l, in, from, n->padded + arena_floats((size_t)h * (size_t)w * (size_t)in->lanes), kernel);
    else if (l->op == OP_CONV) kernel->conv(l->out, from, l->weight, l->bias, &s);
    else if (l->op == OP_DEPTHWISE) kernel->depthwise(l->out, from, l->weight, l->bias, &s);
    else if (l->op == OP_AVGPOOL) kernel->avgpool(l->out, from, &s);
    else kernel->maxpool(l->out, from, &s);
}

static size_t item_size(const graph_layer *l) { return l->step > 0 ? 1 : sizeof(float); }

/* The channels that count stand side by side; only behind the last part there is padding. */
static void concat(const net *n, const graph_layer *l)
{
    size_t item = item_size(l), padding = (size_t)(l->lanes - l->c) * item;
    char *out = (char *)l->out;
    for (size_t i = 0; i < (size_t)l->h * (size_t)l->w; i++) {
        for (int j = 0; j < l->input_count; j++) {
            const graph_layer *part = n->layers + l->inputs[j];
            size_t size = (size_t)part->c * item;
            memcpy(out, (const char *)part->out + i * (size_t)part->lanes * item, size);
            out += size;
        }
        memset(out, 0, padding);
        out += padding;
    }
}

static void resize(const graph_layer *l, const graph_layer *in)
{
    size_t pixel = (size_t)l->lanes * item_size(l);
    char *out = (char *)l->out;
    for (int y = 0; y < l->h; y++)
        for (int x = 0; x < l->w; x++, out += pixel)
            memcpy(out,
                   (const char *)in->out + ((size_t)(y / l->scale) * (size_t)in->w + (size_t)(x / l->scale)) * pixel,
                   pixel);
}

void net_step(net *n, const kernels *kernel, int i)
{
    graph_layer *l = n->layers + i;
    const graph_layer *in = n->layers + l->inputs[0], *other = n->layers + l->inputs[1];
    int size = (int)graph_values(l);
    int bytes = (l->step > 0 || reads_bytes(n, l)) && l->op != OP_RESIZE && l->op != OP_CONCAT;
    if (bytes) bytes_step(l, n->layers, kernel->int8, n->padded);
    else switch (l->op) {
        case OP_QUANTISE:
        case OP_DEQUANTISE:
        case OP_INPUT: break;
        case OP_CONV:
        case OP_DEPTHWISE:
        case OP_AVGPOOL:
        case OP_MAXPOOL: run_window(n, l, kernel); break;
        case OP_RESIZE:
            if (l->linear) kernel->enlarge(l->out, in->out, in->h, in->w, in->lanes, l->scale);
            else resize(l, in);
            break;
        case OP_CONCAT: concat(n, l); break;
        case OP_ADD: kernel->add(l->out, in->out, other->out, size, l->act); break;
        case OP_MUL: {
            int c = (int)graph_values(other); /* one pixel's gates, or a factor for every value */
            kernel->mul(l->out, in->out, other->out, size / c, c);
            break;
        }
        case OP_ACT: memcpy(l->out, in->out, (size_t)size * sizeof *l->out); break;
        case OP_MEAN: kernel->mean(l->out, in->out, in->h * in->w, in->lanes); break;
        case OP_DENSE: {
            window_shape s = {1, 1, (int)graph_values(in), 1, 1, l->lanes, 1, 1, l->act, 0};
            kernel->conv(l->out, in->out, l->weight, l->bias, &s);
        }
        }
    if (l->op == OP_ACT || l->act > ACT_RELU6) kernel->activate(l->out, size, l->act);
}

void net_run(net *n, const kernels *kernel)
{
    for (int i = 0; i < n->count; i++) net_step(n, kernel, i);
}

uint64_t net_products(const net *n, int i)
{
    const graph_layer *l = n->layers + i;
    int k;
    uint64_t cin;
    if (!has_weights(l)) return 0;
    kernel_shape(&k, &cin, l, n);
    return (uint64_t)l->h * (uint64_t)l->w * (uint64_t)l->c * (uint64_t)k * (uint64_t)k * cin;
}

float *net_input(net *n) { return n->layers[0].out; }

graph_layer *net_find(net *n, const char *name)
{
    int i = graph_find(n->layers, n->count, (text){name, strlen(name)});
    return i < 0 ? NULL : n->layers + i;
}
