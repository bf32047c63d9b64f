/* net.c - layers to weights and places in the arena, and the walk over them. */
#include "net.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { TILE_LEAST_PIXELS = 40, TILE_FLOATS = 1 << 16 };
static const size_t MAX_FLOATS = (size_t)1 << 28; /* 1 GiB for one tensor: no honest network here comes near */

static size_t whole_vectors(size_t n) { return (n + 3) & ~(size_t)3; }

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

/* The size of a window layer's bordered input. Tiles that reach beyond the output need more than the padding. */
static void bordered_size(int *h, int *w, const graph_layer *l, const graph_layer *in)
{
    *h = l->tiled ? tiles_over(l->h) * TILE + 2 : in->h + l->pad + l->after;
    *w = l->tiled ? tiles_over(l->w) * TILE + 2 : in->w + l->pad + l->after;
}

static int has_shape(const tensor *t, uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3, uint64_t d4)
{
    uint64_t expected[5] = {d0, d1, d2, d3, d4};
    return memcmp(t->dims, expected, sizeof expected) == 0;
}

/* Tiles of bytes pay earlier: their transforms are cheaper. Their sums, four times as large, must fit 32 bits. */
static int small_tiles_pay(const graph_layer *l, const graph_layer *in)
{
    return l->op == OP_CONV && l->k == 3 && l->stride == 1 && in->lanes % 4 == 0 && in->lanes >= 8 && in->lanes <= 2048;
}

/* The same for a layer that reads bytes. */
static pleura_status check_small(net *n, graph_layer *l, const gguf *g, const tensor *w)
{
    tensor scale;
    int k;
    uint64_t cin, cout = (uint64_t)l->lanes;
    kernel_shape(&k, &cin, l, n);
    uint64_t taps = (uint64_t)k * (uint64_t)k;
    if (w->kind != TENSOR_I8 || !gguf_tensor(&scale, g, n->graph, l->name, "scale") || !has_shape(&scale, cout, 1, 1, 1, 1))
        return PLEURA_MODEL_DAMAGED;
    if (l->op == OP_DEPTHWISE && taps > INT8_MAX_TAPS) return PLEURA_MODEL_UNSUPPORTED;
    if (l->op == OP_DEPTHWISE ? !has_shape(w, 4, taps, cout / 4, 1, 1) : !has_shape(w, 16, (taps * cin + 3) / 4, cout / 4, 1, 1))
        return PLEURA_MODEL_DAMAGED;
    l->tiled = small_tiles_pay(l, n->layers + l->inputs[0]);
    n->weights += 2 * whole_vectors((size_t)cout) + (l->tiled ? (size_t)(8 * cin * cout) : 0);
    if (cout > n->staging) n->staging = (size_t)cout;
    return PLEURA_OK;
}

/* What an output in bytes stands for, and whether layer l can give such a one. */
static pleura_status read_step(const net *n, graph_layer *l, const gguf *g)
{
    char key[64] = "pleura.";
    double step = 0, zero = 0;
    strcat(strncat(key, n->graph, 32), ".steps");
    gguf_number(&step, g, key, (uint64_t)n->count);
    strcpy(strrchr(key, '.'), ".zeros");
    gguf_number(&zero, g, key, (uint64_t)n->count);
    if (!(step == 0 || (step > 1e-20 && step < 1e20)) || !(zero >= 0 && zero <= 127)) return PLEURA_MODEL_DAMAGED;
    l->step = (float)step, l->zero = (int)zero;
    int bytes = l->step > 0, from_bytes = n->layers[l->inputs[0]].step > 0;
    for (int i = 0; i < l->input_count; i++) {
        const graph_layer *in = n->layers + l->inputs[i];
        if ((in->step > 0) != from_bytes) return PLEURA_MODEL_DAMAGED;
        if (l->op != OP_MAXPOOL && l->op != OP_RESIZE && l->op != OP_CONCAT) continue;
        if (in->step != l->step || in->zero != l->zero) return PLEURA_MODEL_DAMAGED; /* bytes only move */
    }
    switch (l->op) {
    case OP_CONV: case OP_DEPTHWISE: case OP_DENSE:
        return bytes && (!from_bytes || l->act > ACT_RELU6) ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
    case OP_ADD: return bytes != from_bytes || (bytes && l->act > ACT_RELU6) ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
    case OP_RESIZE: return bytes && l->linear ? PLEURA_MODEL_UNSUPPORTED : PLEURA_OK;
    case OP_MAXPOOL: case OP_CONCAT: return PLEURA_OK;
    case OP_QUANTISE: return from_bytes || !bytes ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
    case OP_DEQUANTISE: return !from_bytes || bytes ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
    case OP_MEAN: return bytes ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
    default: return bytes || from_bytes ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
    }
}

static pleura_status check_tensors(net *n, graph_layer *l, const gguf *g)
{
    tensor w, b;
    int k;
    uint64_t cin, cout = (uint64_t)l->lanes;
    kernel_shape(&k, &cin, l, n);
    if (!gguf_tensor(&w, g, n->graph, l->name, "weight") || !gguf_tensor(&b, g, n->graph, l->name, "bias") ||
        !has_shape(&b, cout, 1, 1, 1, 1))
        return PLEURA_MODEL_DAMAGED;
    if (n->layers[l->inputs[0]].step > 0) return check_small(n, l, g, &w);
    uint64_t side = (uint64_t)k, rows = 4 * cin * side * side;
    if (w.kind == TENSOR_I8 || !(w.kind == TENSOR_Q8_0 ? has_shape(&w, rows, cout / 4, 1, 1, 1) : has_shape(&w, 4, cin, side, side, cout / 4)))
        return PLEURA_MODEL_DAMAGED;
    l->tiled = tiles_pay(l, n->layers + l->inputs[0]);
    size_t kept = l->tiled ? (size_t)w.count / 9 * TILE_POSITIONS : (size_t)w.count;
    n->weights += whole_vectors(kept) + whole_vectors((size_t)b.count);
    if (l->tiled && w.count > n->staging) n->staging = whole_vectors((size_t)w.count);
    return n->weights > MAX_FLOATS ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

/* Floats that hold the output. */
static size_t output_size(const graph_layer *l)
{
    size_t values = graph_values(l);
    return whole_vectors(l->step > 0 ? (values + 3) / 4 : values);
}

/* A layer's window on bytes; a dense layer is one window. */
static window_shape small_window(const graph_layer *l, const graph_layer *in)
{
    if (l->op == OP_DENSE) return (window_shape){1, 1, (int)graph_values(in), 1, 1, l->lanes, 1, 1, l->act};
    int h = in->h + l->pad + l->after, w = in->w + l->pad + l->after;
    if (l->tiled) h = (l->h + 1) / 2 * 2 + 2, w = (l->w + 1) / 2 * 2 + 2;
    return (window_shape){h, w, in->lanes, l->h, l->w, l->lanes, l->k, l->stride, l->act};
}

static size_t small_border(const graph_layer *l, const window_shape *s)
{
    return l->pad || l->after || l->tiled ? whole_vectors(((size_t)s->h * (size_t)s->w * (size_t)s->cin + 3) / 4) : 0;
}

/* Floats that a layer needs besides its input and output. */
static size_t scratch_of(const graph_layer *l, const graph_layer *in)
{
    int h, w;
    if (in->step > 0) {
        window_shape s = small_window(l, in);
        size_t room = l->tiled ? int8_tiles_room(s.cin) : l->op == OP_CONV || l->op == OP_DENSE ? int8_room(int8_quads(&s)) : 0;
        return small_border(l, &s) + whole_vectors(room / sizeof(float));
    }
    if (!l->tiled && !l->pad && !l->after) return 0;
    bordered_size(&h, &w, l, in);
    size_t bordered = whole_vectors((size_t)h * (size_t)w * (size_t)in->lanes);
    size_t tiles = l->tiled ? (size_t)tiles_at_once(l, in) * TILE_POSITIONS : 0;
    return bordered + tiles * (size_t)(in->lanes + l->lanes);
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
        size_t scratch = scratch_of(l, n->layers + l->inputs[0]);
        if (scratch > n->scratch) n->scratch = scratch;
    }
}

pleura_status net_parse(net *n, const gguf *g, const char *graph, const char *const *keep)
{
    char key[64] = "pleura.";
    text line;
    *n = (net){.graph = graph};
    strcat(strncat(key, graph, 32), ".graph");
    uint64_t lines = gguf_count(g, key);
    if (lines < 2) return PLEURA_MODEL_DAMAGED;
    if (lines > GRAPH_MAX_LAYERS) return PLEURA_MODEL_UNSUPPORTED;
    for (; n->count < (int)lines; n->count++) {
        graph_layer *l = n->layers + n->count;
        if (!gguf_text(&line, g, key, (uint64_t)n->count)) return PLEURA_MODEL_DAMAGED;
        pleura_status status = graph_read(n->layers, n->count, line);
        if (!status) status = read_step(n, l, g);
        if (!status && has_weights(l)) status = check_tensors(n, l, g);
        if (status) return status;
        for (int i = 0; i < l->input_count; i++) n->layers[l->inputs[i]].last_use = n->count;
    }
    for (; *keep; keep++) {
        graph_layer *l = net_find(n, *keep);
        if (l) l->last_use = n->count;
    }
    plan(n);
    return n->activations > MAX_FLOATS || n->scratch > MAX_FLOATS ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
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
        for (int p = 0; p < TILE_POSITIONS; p++) out[((size_t)p * (size_t)blocks + (size_t)block) * (size_t)row + (size_t)i] = whole[p];
    }
}

/* Of one output channel: the sum of its weights, and the largest that its products can give. */
static void add_up(int64_t *sum, int64_t *reach, const int8_t *weight, const graph_layer *l, int quads, int o)
{
    int per = l->op == OP_DEPTHWISE ? 1 : 4, groups = l->op == OP_DEPTHWISE ? l->k * l->k : quads;
    *sum = *reach = 0;
    for (int n = 0; n < groups; n++)
    for (int i = 0; i < per; i++) {
        int v = weight[((o / 4 * groups + n) * 4 + o % 4) * per + i];
        *sum += v, *reach += 127 * (v < 0 ? -v : v);
    }
}

/* 2 G g (2 G)' of every window of [cout/4][9 * cin/4][4][4] to [16][cout/4][cin/4][4][4]. */
static void transform_small(int16_t *out, const int8_t *weight, int cin, int cout)
{
    static const int8_t g[4][3] = {{2, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 2}};
    int row = 4 * cin;
    for (int p = 0; p < 16; p++)
    for (int block = 0; block < cout / 4; block++)
    for (int i = 0; i < row; i++) {
        const int8_t *at = weight + (size_t)block * 9 * (size_t)row + i;
        int sum = 0;
        for (int n = 0; n < 9; n++) sum += g[p / 4][n / 3] * g[p % 4][n % 3] * at[n * row];
        *out++ = (int16_t)sum;
    }
}

/* start and factor of int8.h from the weights' scale, the bias and the steps on both sides. */
static pleura_status load_small(graph_layer *l, const graph_layer *in, const tensor *w, const tensor *scale, const tensor *bias, arena *a)
{
    int32_t *start = arena_take(a, (size_t)l->lanes, sizeof *start);
    float *factor = arena_take(a, (size_t)l->lanes, sizeof *factor);
    arena mark = *a;
    float *plain = arena_take(a, (size_t)l->lanes, sizeof *plain);
    if (!start || !factor || !plain) return PLEURA_MEMORY;
    if (!gguf_widen(factor, scale) || !gguf_widen(plain, bias)) return PLEURA_MODEL_DAMAGED;
    window_shape s = small_window(l, in);
    for (int o = 0; o < l->lanes; o++) {
        int64_t sum, reach;
        add_up(&sum, &reach, (const int8_t *)w->data, l, int8_quads(&s), o);
        double unit = (double)in->step * factor[o], first = unit > 0 ? rint(plain[o] / unit) - in->zero * (double)sum : INFINITY;
        double most = (double)reach + fabs(first), leaves = l->step > 0 ? unit / l->step : unit;
        if (!(most < INT32_MAX) || (l->step > 0 && !(most * leaves < 1 << 21))) return PLEURA_MODEL_DAMAGED;
        start[o] = (int32_t)first, factor[o] = (float)leaves;
    }
    *a = mark;
    int16_t *tiles = l->tiled ? arena_take(a, (size_t)(16 * s.cin) * (size_t)s.cout, sizeof *tiles) : NULL;
    if (l->tiled && !tiles) return PLEURA_MEMORY;
    if (tiles) transform_small(tiles, (const int8_t *)w->data, s.cin, s.cout);
    l->small = (int8_weights){(const int8_t *)w->data, tiles, start, factor};
    return PLEURA_OK;
}

pleura_status net_load(net *n, const gguf *g, arena *a)
{
    for (int i = 0; i < n->count; i++) {
        graph_layer *l = n->layers + i;
        tensor w, b, scale;
        if (!has_weights(l)) continue;
        gguf_tensor(&w, g, n->graph, l->name, "weight"); /* there and right: net_parse has checked */
        gguf_tensor(&b, g, n->graph, l->name, "bias");
        if (gguf_tensor(&scale, g, n->graph, l->name, "scale") && n->layers[l->inputs[0]].step > 0) {
            pleura_status status = load_small(l, n->layers + l->inputs[0], &w, &scale, &b, a);
            if (status) return status;
            continue;
        }
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
static void run_tiles(const graph_layer *l, const graph_layer *in, const float *bordered, float *room, const kernels *kernel)
{
    static const float no_bias[GRAPH_MAX_DIM];
    int group = tiles_at_once(l, in), across = tiles_over(l->w), all = across * tiles_over(l->h);
    float *from = room, *to = room + (size_t)group * TILE_POSITIONS * (size_t)in->lanes;
    for (int first = 0; first < all; first += group) {
        int count = all - first < group ? all - first : group;
        tile_shape s = {across * TILE + 2, across, l->h, l->w, first, count, in->lanes, 0};
        kernel->tiles_in(from, bordered, &s);
        window_shape plane = {1, count, in->lanes, 1, count, l->lanes, 1, 1, 0};
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
    const float *from = l->pad || l->after || l->tiled ? add_border(n->padded, in, l->pad, h, w, fill) : in->out;
    window_shape s = {h, w, in->lanes, l->h, l->w, l->lanes, l->k, l->stride, l->act};
    if (l->tiled) run_tiles(l, in, from, n->padded + whole_vectors((size_t)h * (size_t)w * (size_t)in->lanes), kernel);
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
        memcpy(out, (const char *)in->out + ((size_t)(y / l->scale) * (size_t)in->w + (size_t)(x / l->scale)) * pixel, pixel);
}

/* Conv, depthwise, dense and maxpool on bytes. */
static void run_small_window(const net *n, const graph_layer *l, const int8_kernels *kernel)
{
    const graph_layer *in = n->layers + l->inputs[0];
    window_shape s = small_window(l, in);
    const uint8_t *from = (const uint8_t *)in->out;
    size_t border = small_border(l, &s), whole = (size_t)s.w * (size_t)s.cin, row = (size_t)in->w * (size_t)s.cin;
    if (border) { /* of padding, or for whole tiles */
        uint8_t *to = (uint8_t *)n->padded;
        memset(to, l->op == OP_MAXPOOL ? 0 : in->zero, (size_t)s.h * whole);
        to += (size_t)l->pad * whole + (size_t)(l->pad * s.cin);
        for (int y = 0; y < in->h; y++) memcpy(to + (size_t)y * whole, from + (size_t)y * row, row);
        from = (const uint8_t *)n->padded;
    }
    double six = l->act == ACT_RELU6 && l->step > 0 ? l->zero + rint(6 / (double)l->step) : 127;
    int8_shape shape = {s, l->step > 0, l->zero, l->act ? l->zero : 0, six < 127 ? (int)six : 127};
    if (l->op == OP_MAXPOOL) kernel->maxpool((uint8_t *)l->out, from, &s);
    else if (l->op == OP_DEPTHWISE) kernel->depthwise(l->out, from, &l->small, &shape);
    else if (l->tiled) kernel->conv_tiles(l->out, from, &l->small, &shape, n->padded + border);
    else kernel->conv(l->out, from, &l->small, &shape, &kernel->dot, n->padded + border);
}

static void add_small(const graph_layer *l, const graph_layer *a, const graph_layer *b, const int8_kernels *kernel)
{
    double by_a = (double)a->step / l->step, by_b = (double)b->step / l->step, most = by_a > by_b ? by_a : by_b;
    int8_sum s = {.shift = 15, .least = l->act ? l->zero : 0, .most = 127};
    while (s.shift > 1 && most * (1 << s.shift) > INT16_MAX) s.shift--;
    double one = 1 << s.shift;
    s.factor_a = by_a * one < INT16_MAX ? (int)(by_a * one + 0.5) : INT16_MAX;
    s.factor_b = by_b * one < INT16_MAX ? (int)(by_b * one + 0.5) : INT16_MAX;
    s.offset = (l->zero << s.shift) + (1 << (s.shift - 1)) - a->zero * s.factor_a - b->zero * s.factor_b;
    double six = l->act == ACT_RELU6 ? l->zero + rint(6 / (double)l->step) : 127;
    if (six < 127) s.most = (int)six;
    kernel->add((uint8_t *)l->out, (const uint8_t *)a->out, (const uint8_t *)b->out, (int)graph_values(l), &s);
}

/* A layer that reads or writes bytes. */
static void step_small(const net *n, const graph_layer *l, const int8_kernels *kernel)
{
    const graph_layer *in = n->layers + l->inputs[0];
    int size = (int)graph_values(l);
    switch (l->op) {
    case OP_QUANTISE: kernel->quantise((uint8_t *)l->out, in->out, size, 1 / l->step, l->zero); break;
    case OP_DEQUANTISE: kernel->dequantise(l->out, (const uint8_t *)in->out, size, in->step, in->zero); break;
    case OP_ADD: add_small(l, in, n->layers + l->inputs[1], kernel); break;
    case OP_RESIZE: resize(l, in); break;
    case OP_CONCAT: concat(n, l); break;
    case OP_MEAN: kernel->mean(l->out, (const uint8_t *)in->out, in->h * in->w, in->lanes, in->step, in->zero); break;
    default: run_small_window(n, l, kernel);
    }
}

void net_step(net *n, const kernels *kernel, int i)
{
    graph_layer *l = n->layers + i;
    const graph_layer *in = n->layers + l->inputs[0], *other = n->layers + l->inputs[1];
    int size = (int)graph_values(l);
    if (l->step > 0 || in->step > 0) {
        step_small(n, l, kernel->int8);
        if (l->act > ACT_RELU6) kernel->activate(l->out, size, l->act);
        return;
    }
    switch (l->op) {
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
        window_shape s = {1, 1, (int)graph_values(in), 1, 1, l->lanes, 1, 1, l->act};
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
