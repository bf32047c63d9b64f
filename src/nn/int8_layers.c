/* int8_layers.c - layers on bytes: steps and weights to factors, and the walk's steps between them. */
#include "nn/int8_layers.h"

#include <math.h>
#include <string.h>

enum { MAX_QUADS = 1 << 20 }; /* keeps the kernels' room and places within 32 bits */

/* A number of the array "pleura.<graph>.<part>", 0 when there is none. */
static double read_number(const gguf *g, const char *graph, const char *part, int number)
{
    char key[64] = "pleura.";
    double v = 0;
    gguf_number(&v, g, strcat(strncat(key, graph, 32), part), (uint64_t)number);
    return v;
}

static int only_moves(const graph_layer *l) { return l->op == OP_MAXPOOL || l->op == OP_RESIZE || l->op == OP_CONCAT; }

/* Whether layer l, whose inputs are all bytes or all floats, can give what its step promises. */
static pleura_status check_op(const graph_layer *l, int from_bytes)
{
    int bytes = l->step > 0, simple = l->act <= ACT_RELU6, good;
    switch (l->op) {
    case OP_CONV:
    case OP_DEPTHWISE:
    case OP_DENSE: good = !bytes || (from_bytes && simple); break;
    case OP_ADD: good = bytes == from_bytes && (!bytes || simple); break;
    case OP_QUANTISE: good = bytes && !from_bytes; break;
    case OP_DEQUANTISE: good = !bytes && from_bytes; break;
    case OP_MAXPOOL:
    case OP_RESIZE:
    case OP_CONCAT: good = !(bytes && l->linear); break;
    case OP_MEAN: good = !bytes; break;
    default: good = !bytes && !from_bytes;
    }
    return good ? PLEURA_OK : PLEURA_MODEL_DAMAGED;
}

pleura_status bytes_read_step(graph_layer *layers, int number, const gguf *g, const char *graph)
{
    graph_layer *l = layers + number;
    double step = read_number(g, graph, ".steps", number), zero = read_number(g, graph, ".zeros", number);
    if (!(step == 0 || (step > 1e-20 && step < 1e20)) || !(zero >= 0 && zero <= 127)) return PLEURA_MODEL_DAMAGED;
    l->step = (float)step, l->zero = (int)zero;
    const graph_layer *first = layers + l->inputs[0];
    for (int i = 0; i < l->input_count; i++) {
        const graph_layer *in = layers + l->inputs[i];
        if ((in->step > 0) != (first->step > 0)) return PLEURA_MODEL_DAMAGED;
        if (only_moves(l) && (in->step != l->step || in->zero != l->zero)) return PLEURA_MODEL_DAMAGED;
    }
    return check_op(l, l->input_count && first->step > 0);
}

/* Tiles pay earlier than those of floats: their transforms are cheaper. Their sums, four times as large, must fit 32
 * bits. */
static int tiles_pay(const graph_layer *l, const graph_layer *in)
{
    return l->op == OP_CONV && l->k == 3 && l->stride == 1 && in->lanes % 4 == 0 && in->lanes >= 8 && in->lanes <= 2048;
}

/* A layer's window on its bordered input; a dense layer is one window. */
static window_shape window_of(const graph_layer *l, const graph_layer *in)
{
    if (l->op == OP_DENSE) return (window_shape){1, 1, (int)graph_values(in), 1, 1, l->lanes, 1, 1, l->act, 0};
    int h = in->h + l->pad + l->after, w = in->w + l->pad + l->after;
    if (l->tiled) h = (l->h + 1) / 2 * 2 + 2, w = (l->w + 1) / 2 * 2 + 2;
    return (window_shape){h, w, in->lanes, l->h, l->w, l->lanes, l->k, l->stride, l->act, 0};
}

/* Floats that hold the bordered input; 0 where it needs no border. */
static size_t border_size(const graph_layer *l, const window_shape *s)
{
    return l->pad || l->after || l->tiled ? arena_floats(((size_t)s->h * (size_t)s->w * (size_t)s->cin + 3) / 4) : 0;
}

static int has_shape(const tensor *t, uint64_t d0, uint64_t d1, uint64_t d2)
{
    uint64_t expected[5] = {d0, d1, d2, 1, 1};
    return memcmp(t->dims, expected, sizeof expected) == 0;
}

pleura_status bytes_check(graph_layer *l, const graph_layer *layers, const gguf *g, const char *graph, size_t *weights,
                          size_t *staging)
{
    tensor w, scale, bias;
    const graph_layer *in = layers + l->inputs[0];
    window_shape s = window_of(l, in);
    uint64_t cout = (uint64_t)l->lanes, taps = (uint64_t)l->k * (uint64_t)l->k;
    if (!gguf_tensor(&w, g, graph, l->name, "weight") || !gguf_tensor(&scale, g, graph, l->name, "scale") ||
        !gguf_tensor(&bias, g, graph, l->name, "bias") || w.kind != TENSOR_I8)
        return PLEURA_MODEL_DAMAGED;
    if (l->op == OP_DEPTHWISE ? taps > INT8_MAX_TAPS : int8_quads(&s) > MAX_QUADS) return PLEURA_MODEL_UNSUPPORTED;
    int fits = l->op == OP_DEPTHWISE ? has_shape(&w, 4, taps, cout / 4)
                                     : has_shape(&w, 16, (uint64_t)int8_quads(&s), cout / 4);
    if (!fits || !has_shape(&scale, cout, 1, 1) || !has_shape(&bias, cout, 1, 1)) return PLEURA_MODEL_DAMAGED;
    l->tiled = tiles_pay(l, in);
    *weights += 2 * arena_floats((size_t)cout) + (l->tiled ? 8 * (size_t)in->lanes * (size_t)cout : 0);
    if (cout > *staging) *staging = (size_t)cout;
    return PLEURA_OK;
}

/* Of one output channel: the sum of its weights, and the largest that its products can give. */
static void add_up(int64_t *sum, int64_t *reach, const int8_t *weight, const graph_layer *l, int quads, int o)
{
    int per = l->op == OP_DEPTHWISE ? 1 : 4, groups = l->op == OP_DEPTHWISE ? l->k * l->k : quads;
    *sum = *reach = 0;
    for (int n = 0; n < groups; n++)
        for (int i = 0; i < per; i++) {
            int v = weight[((size_t)(o / 4 * groups + n) * 4 + (size_t)(o % 4)) * (size_t)per + (size_t)i];
            *sum += v, *reach += 127 * (v < 0 ? -v : v);
        }
}

/* 2 G g (2 G)' of every window of [cout/4][9 * cin/4][4][4] to [16][cout/4][cin/4][4][4]. */
static void transform_weights(int16_t *out, const int8_t *weight, int cin, int cout)
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

pleura_status bytes_load(graph_layer *l, const graph_layer *layers, const gguf *g, const char *graph, arena *a)
{
    tensor w, scale, bias; /* there and right: bytes_check has seen them */
    gguf_tensor(&w, g, graph, l->name, "weight");
    gguf_tensor(&scale, g, graph, l->name, "scale");
    gguf_tensor(&bias, g, graph, l->name, "bias");
    const graph_layer *in = layers + l->inputs[0];
    const int8_t *weight = (const int8_t *)w.data;
    window_shape s = window_of(l, in);
    int32_t *start = arena_take(a, (size_t)l->lanes, sizeof *start);
    float *factor = arena_take(a, (size_t)l->lanes, sizeof *factor);
    int16_t *tiles = l->tiled ? arena_take(a, 16 * (size_t)s.cin * (size_t)s.cout, sizeof *tiles) : NULL;
    arena staging = *a;
    float *plain = arena_take(&staging, (size_t)l->lanes, sizeof *plain);
    if (!start || !factor || !plain || (l->tiled && !tiles)) return PLEURA_MEMORY;
    if (!gguf_widen(factor, &scale) || !gguf_widen(plain, &bias)) return PLEURA_MODEL_DAMAGED;
    for (int o = 0; o < l->lanes; o++) {
        int64_t sum, reach;
        add_up(&sum, &reach, weight, l, int8_quads(&s), o);
        double unit = (double)in->step * factor[o]; /* what 1 in a sum stands for */
        double first = unit > 0 ? rint(plain[o] / unit) - in->zero * (double)sum : INFINITY;
        double most = (double)reach + fabs(first), leaves = l->step > 0 ? unit / l->step : unit;
        if (!(most < INT32_MAX) || (l->step > 0 && !(most * leaves < 1 << 21))) return PLEURA_MODEL_DAMAGED;
        start[o] = (int32_t)first, factor[o] = (float)leaves;
    }
    if (tiles) transform_weights(tiles, weight, s.cin, s.cout);
    l->int8 = (int8_weights){weight, tiles, start, factor};
    return PLEURA_OK;
}

size_t bytes_scratch(const graph_layer *l, const graph_layer *layers)
{
    window_shape s = window_of(l, layers + l->inputs[0]);
    size_t room = l->tiled                      ? int8_tiles_room(s.cin)
        : l->op == OP_CONV || l->op == OP_DENSE ? int8_room(int8_quads(&s))
                                                : 0;
    return border_size(l, &s) + arena_floats(room / sizeof(float));
}

/* The bytes between which an output with an activation stays. */
static void limits(int *least, int *most, const graph_layer *l)
{
    double six = l->act == ACT_RELU6 && l->step > 0 ? l->zero + rint(6 / (double)l->step) : 127;
    *least = l->act ? l->zero : 0;
    *most = six < 127 ? (int)six : 127;
}

/* Conv, depthwise, dense and maxpool. */
static void run_window(const graph_layer *l, const graph_layer *in, const int8_kernels *kernel, float *scratch)
{
    const uint8_t *from = (const uint8_t *)in->out;
    int8_shape s = {window_of(l, in), l->step > 0, l->zero, 0, 0};
    const window_shape *v = &s.window;
    limits(&s.least, &s.most, l);
    size_t border = border_size(l, v), whole = (size_t)v->w * (size_t)v->cin, row = (size_t)in->w * (size_t)v->cin;
    if (border) {
        uint8_t *to = (uint8_t *)scratch + (size_t)l->pad * whole + (size_t)(l->pad * v->cin);
        memset(scratch, l->op == OP_MAXPOOL ? 0 : in->zero, (size_t)v->h * whole);
        for (int y = 0; y < in->h; y++) memcpy(to + (size_t)y * whole, from + (size_t)y * row, row);
        from = (const uint8_t *)scratch;
    }
    if (l->op == OP_MAXPOOL) kernel->maxpool((uint8_t *)l->out, from, v);
    else if (l->op == OP_DEPTHWISE) kernel->depthwise(l->out, from, &l->int8, &s);
    else if (l->tiled) kernel->conv_tiles(l->out, from, &l->int8, &s, scratch + border);
    else kernel->conv(l->out, from, &l->int8, &s, &kernel->dot, scratch + border);
}

static void run_add(const graph_layer *l, const graph_layer *a, const graph_layer *b, const int8_kernels *kernel)
{
    double by_a = (double)a->step / l->step, by_b = (double)b->step / l->step, most = by_a > by_b ? by_a : by_b;
    int8_sum s = {.shift = 15};
    while (s.shift > 1 && most * (1 << s.shift) > INT16_MAX) s.shift--;
    double one = 1 << s.shift;
    s.factor_a = by_a * one < INT16_MAX ? (int)(by_a * one + 0.5) : INT16_MAX;
    s.factor_b = by_b * one < INT16_MAX ? (int)(by_b * one + 0.5) : INT16_MAX;
    s.offset = (l->zero << s.shift) + (1 << (s.shift - 1)) - a->zero * s.factor_a - b->zero * s.factor_b;
    limits(&s.least, &s.most, l);
    kernel->add((uint8_t *)l->out, (const uint8_t *)a->out, (const uint8_t *)b->out, (int)graph_values(l), &s);
}

void bytes_step(const graph_layer *l, const graph_layer *layers, const int8_kernels *kernel, float *scratch)
{
    const graph_layer *in = layers + l->inputs[0];
    int size = (int)graph_values(l);
    const uint8_t *from = (const uint8_t *)in->out;
    switch (l->op) {
    case OP_QUANTISE: kernel->quantise((uint8_t *)l->out, in->out, size, 1 / l->step, l->zero); break;
    case OP_DEQUANTISE: kernel->dequantise(l->out, from, size, in->step, in->zero); break;
    case OP_ADD: run_add(l, in, layers + l->inputs[1], kernel); break;
    case OP_MEAN: kernel->mean(l->out, from, in->h * in->w, in->lanes, in->step, in->zero); break;
    default: run_window(l, in, kernel, scratch);
    }
}
