/* net.c - graph lines to layers, their places in the arena, and the walk over them. */
#include "net.h"

#include <string.h>

enum { MAX_DIM = 4096, MAX_KERNEL = 64, TILE_LEAST_PIXELS = 40, TILE_FLOATS = 1 << 16 };
static const size_t MAX_FLOATS = (size_t)1 << 28; /* 1 GiB for one tensor: no honest network here comes near */

static int is(text t, const char *s) { return strlen(s) == t.size && memcmp(t.at, s, t.size) == 0; }

/* Takes the next word off the line, up to a space or the end; empty when there is none. */
static text take_word(text *line)
{
    while (line->size && *line->at == ' ') line->at++, line->size--;
    text word = {line->at, 0};
    while (word.size < line->size && line->at[word.size] != ' ') word.size++;
    line->at += word.size, line->size -= word.size;
    return word;
}

/* Whether word is "<key>=<number>", 0..MAX_DIM. */
static int setting(int *out, text word, const char *key)
{
    size_t n = strlen(key), at = n + 1;
    if (word.size <= at || word.size > at + 4 || memcmp(word.at, key, n) != 0 || word.at[n] != '=') return 0;
    int v = 0;
    for (; at < word.size; at++) {
        if (word.at[at] < '0' || word.at[at] > '9') return 0;
        v = v * 10 + (word.at[at] - '0');
    }
    if (v > MAX_DIM) return 0;
    *out = v;
    return 1;
}

static int find_layer(const net *n, text name)
{
    for (int i = 0; i < n->count; i++)
        if (n->layers[i].name.size == name.size && memcmp(n->layers[i].name.at, name.at, name.size) == 0) return i;
    return -1;
}

static const struct { const char *name; int least, most; } ops[] = {
    [OP_INPUT] = {"input", 0, 0}, [OP_CONV] = {"conv", 1, 1},
    [OP_MAXPOOL] = {"maxpool", 1, 1}, [OP_RESIZE] = {"resize", 1, 1},
    [OP_CONCAT] = {"concat", 2, NET_MAX_INPUTS}, [OP_ADD] = {"add", 2, 2},
    [OP_MEAN] = {"mean", 1, 1}, [OP_DENSE] = {"dense", 1, 1}};

/* Words to fields; says nothing yet of shapes. */
static pleura_status parse_line(net_layer *l, const net *n, text line)
{
    *l = (net_layer){.k = 1, .stride = 1, .scale = 1};
    l->name = take_word(&line);
    text equals = take_word(&line), op = take_word(&line), word;
    if (!l->name.size || !is(equals, "=") || find_layer(n, l->name) >= 0) return PLEURA_MODEL_DAMAGED;
    int known = 0;
    for (int i = 0; i < (int)(sizeof ops / sizeof *ops); i++)
        if (is(op, ops[i].name)) l->op = (net_op)i, known = 1;
    if (!known) return PLEURA_MODEL_UNSUPPORTED;
    while ((word = take_word(&line)).size) {
        int input = find_layer(n, word);
        if (input >= 0) {
            if (l->input_count == ops[l->op].most) return PLEURA_MODEL_DAMAGED;
            l->inputs[l->input_count++] = input;
        } else if (is(word, "act=relu")) {
            l->relu = 1;
        } else if (!setting(&l->k, word, "k") && !setting(&l->stride, word, "stride") && !setting(&l->pad, word, "pad") &&
                   !setting(&l->scale, word, "scale") && !setting(&l->h, word, "h") && !setting(&l->w, word, "w") &&
                   !setting(&l->c, word, "c") && !is(word, "act=none")) {
            return PLEURA_MODEL_UNSUPPORTED;
        }
    }
    return l->input_count < ops[l->op].least ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

/* The output's size from the inputs'. */
static pleura_status infer_shape(net_layer *l, const net *n)
{
    const net_layer *in = n->layers + l->inputs[0];
    if ((l->op == OP_INPUT) != (n->count == 0)) return PLEURA_MODEL_DAMAGED;
    if (l->relu && l->op != OP_CONV && l->op != OP_DENSE && l->op != OP_ADD) return PLEURA_MODEL_UNSUPPORTED;
    switch (l->op) {
    case OP_INPUT:
        break;
    case OP_CONV:
    case OP_MAXPOOL:
        if (l->k < 1 || l->k > MAX_KERNEL || l->stride < 1 || l->pad >= l->k) return PLEURA_MODEL_DAMAGED;
        if (l->op == OP_MAXPOOL && l->pad) return PLEURA_MODEL_UNSUPPORTED;
        if (in->h + 2 * l->pad < l->k || in->w + 2 * l->pad < l->k) return PLEURA_MODEL_DAMAGED;
        l->h = (in->h + 2 * l->pad - l->k) / l->stride + 1;
        l->w = (in->w + 2 * l->pad - l->k) / l->stride + 1;
        if (l->op == OP_MAXPOOL) l->c = in->c;
        break;
    case OP_RESIZE:
        l->h = in->h * l->scale, l->w = in->w * l->scale, l->c = in->c;
        break;
    case OP_CONCAT:
        l->h = in->h, l->w = in->w, l->c = 0;
        for (int i = 0; i < l->input_count; i++) {
            const net_layer *part = n->layers + l->inputs[i];
            if (part->h != l->h || part->w != l->w) return PLEURA_MODEL_DAMAGED;
            if (part->c % 4) return PLEURA_MODEL_UNSUPPORTED; /* padding would end up between the parts */
            l->c += part->c;
        }
        break;
    case OP_ADD: {
        const net_layer *other = n->layers + l->inputs[1];
        l->h = in->h, l->w = in->w, l->c = in->c;
        if (other->h != l->h || other->w != l->w || other->c != l->c) return PLEURA_MODEL_DAMAGED;
        break;
    }
    case OP_MEAN:
        l->h = l->w = 1, l->c = in->c;
        break;
    case OP_DENSE:
        l->h = l->w = 1;
        break;
    }
    if (l->h < 1 || l->w < 1 || l->c < 1 || l->h > MAX_DIM || l->w > MAX_DIM || l->c > MAX_DIM)
        return PLEURA_MODEL_DAMAGED;
    l->lanes = l->op == OP_INPUT ? l->c : (l->c + 3) / 4 * 4;
    /* The vector kernels take whole vectors; of the image alone they read single values. */
    if (l->op > OP_CONV && l->op != OP_DENSE && in->lanes % 4) return PLEURA_MODEL_UNSUPPORTED;
    return (size_t)l->h * (size_t)l->w > MAX_FLOATS / (size_t)l->lanes ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

static size_t floats(const net_layer *l) { return (size_t)l->h * (size_t)l->w * (size_t)l->lanes; }
static size_t whole_vectors(size_t n) { return (n + 3) & ~(size_t)3; }

/* What a conv or dense layer sums over: window and channels of its input. */
static void kernel_shape(int *k, uint64_t *cin, const net_layer *l, const net *n)
{
    const net_layer *in = n->layers + l->inputs[0];
    *k = l->op == OP_DENSE ? 1 : l->k;
    *cin = l->op == OP_DENSE ? floats(in) : (uint64_t)in->lanes;
}

/* Tiles pay for 3 x 3 windows at stride 1 once their transforms serve enough channels and their weights, four times as
 * many, enough tiles. Both numbers are measured. */
static int tiles_pay(const net_layer *l, const net_layer *in)
{
    return l->op == OP_CONV && l->k == 3 && l->stride == 1 && in->lanes % 4 == 0 && in->lanes >= 8 &&
           l->h * l->w >= TILE_LEAST_PIXELS;
}

static int tiles_over(int size) { return (size + TILE - 1) / TILE; }

/* Tiles that go through the three steps together: their transforms should stay in the second-level cache. */
static int tiles_at_once(const net_layer *l, const net_layer *in)
{
    int fit = TILE_FLOATS / (TILE_POSITIONS * (in->lanes + l->lanes)) / 4 * 4;
    return fit < 8 ? 8 : fit > 64 ? 64 : fit;
}

/* The size of a window layer's bordered input. Tiles that reach beyond the output need more than the padding. */
static void bordered_size(int *h, int *w, const net_layer *l, const net_layer *in)
{
    *h = l->tiled ? tiles_over(l->h) * TILE + 2 : in->h + 2 * l->pad;
    *w = l->tiled ? tiles_over(l->w) * TILE + 2 : in->w + 2 * l->pad;
}

static pleura_status check_tensors(net *n, net_layer *l, const gguf *g)
{
    tensor w, b;
    int k;
    uint64_t cin, cout = (uint64_t)l->lanes;
    kernel_shape(&k, &cin, l, n);
    if (!gguf_tensor(&w, g, n->graph, l->name, "weight") || !gguf_tensor(&b, g, n->graph, l->name, "bias"))
        return PLEURA_MODEL_DAMAGED;
    uint64_t expected[5] = {4, cin, (uint64_t)k, (uint64_t)k, cout / 4};
    if (memcmp(w.dims, expected, sizeof expected) != 0 || b.count != cout || b.dims[0] != cout)
        return PLEURA_MODEL_DAMAGED;
    l->tiled = tiles_pay(l, n->layers + l->inputs[0]);
    size_t kept = l->tiled ? (size_t)w.count / 9 * TILE_POSITIONS : (size_t)w.count;
    n->weights += whole_vectors(kept) + whole_vectors((size_t)b.count);
    if (l->tiled && w.count > n->staging) n->staging = whole_vectors((size_t)w.count);
    return n->weights > MAX_FLOATS ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

/* Floats that a layer needs besides its input and output. */
static size_t scratch_of(const net_layer *l, const net_layer *in)
{
    int h, w;
    if (!l->tiled && !l->pad) return 0;
    bordered_size(&h, &w, l, in);
    size_t bordered = whole_vectors((size_t)h * (size_t)w * (size_t)in->lanes);
    size_t tiles = l->tiled ? (size_t)tiles_at_once(l, in) * TILE_POSITIONS : 0;
    return bordered + tiles * (size_t)(in->lanes + l->lanes);
}

/* First fit: the lowest place that no output still in use covers. */
static void plan(net *n)
{
    for (int i = 0; i < n->count; i++) {
        net_layer *l = n->layers + i;
        size_t size = whole_vectors(floats(l)), place = 0;
        for (int j = 0; j < i; j++) {
            const net_layer *other = n->layers + j;
            size_t end = other->place + whole_vectors(floats(other));
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
    if (lines > NET_MAX_LAYERS) return PLEURA_MODEL_UNSUPPORTED;
    for (; n->count < (int)lines; n->count++) {
        net_layer *l = n->layers + n->count;
        if (!gguf_text(&line, g, key, (uint64_t)n->count)) return PLEURA_MODEL_DAMAGED;
        pleura_status status = parse_line(l, n, line);
        if (!status) status = infer_shape(l, n);
        if (!status && (l->op == OP_CONV || l->op == OP_DENSE)) status = check_tensors(n, l, g);
        if (status) return status;
        l->last_use = n->count;
        for (int i = 0; i < l->input_count; i++) n->layers[l->inputs[i]].last_use = n->count;
    }
    for (; *keep; keep++) {
        net_layer *l = net_find(n, *keep);
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

pleura_status net_load(net *n, const gguf *g, arena *a)
{
    for (int i = 0; i < n->count; i++) {
        net_layer *l = n->layers + i;
        tensor w, b;
        if (l->op != OP_CONV && l->op != OP_DENSE) continue;
        gguf_tensor(&w, g, n->graph, l->name, "weight"); /* there and right: net_parse has checked */
        gguf_tensor(&b, g, n->graph, l->name, "bias");
        size_t kept = l->tiled ? (size_t)w.count / 9 * TILE_POSITIONS : (size_t)w.count;
        l->weight = arena_take(a, kept, sizeof(float));
        l->bias = arena_take(a, (size_t)b.count, sizeof(float));
        arena mark = *a;
        float *plain = l->tiled ? arena_take(a, (size_t)w.count, sizeof(float)) : l->weight;
        if (!l->weight || !l->bias || !plain) return PLEURA_MEMORY;
        if (!gguf_widen(plain, &w) || !gguf_widen(l->bias, &b)) return PLEURA_MODEL_DAMAGED;
        if (l->tiled) transform_weights(l->weight, plain, (int)w.dims[1], (int)w.dims[4]);
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

/* The input in a field of zeros, h x w pixels, `pad` from its upper left corner. */
static const float *add_border(float *out, const net_layer *in, int pad, int h, int w)
{
    size_t lanes = (size_t)in->lanes, row = (size_t)in->w * lanes, whole = (size_t)w * lanes;
    memset(out, 0, (size_t)h * whole * sizeof *out);
    for (int y = 0; y < in->h; y++)
        memcpy(out + (size_t)(y + pad) * whole + (size_t)pad * lanes, in->out + (size_t)y * row, row * sizeof *out);
    return out;
}

/* In groups of tiles: transform, multiply each position's plane by its weights, transform back. */
static void run_tiles(const net_layer *l, const net_layer *in, const float *bordered, float *room, const kernels *kernel)
{
    static const float no_bias[MAX_DIM];
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
        s.channels = l->lanes, s.relu = l->relu;
        kernel->tiles_out(l->out, to, l->bias, &s);
    }
}

static void run_window(const net *n, const net_layer *l, const kernels *kernel)
{
    const net_layer *in = n->layers + l->inputs[0];
    int h, w;
    bordered_size(&h, &w, l, in);
    const float *from = l->pad || l->tiled ? add_border(n->padded, in, l->pad, h, w) : in->out;
    window_shape s = {h, w, in->lanes, l->h, l->w, l->lanes, l->k, l->stride, l->relu};
    if (l->tiled) run_tiles(l, in, from, n->padded + whole_vectors((size_t)h * (size_t)w * (size_t)in->lanes), kernel);
    else if (l->op == OP_CONV) kernel->conv(l->out, from, l->weight, l->bias, &s);
    else kernel->maxpool(l->out, from, &s);
}

static void concat(const net *n, const net_layer *l)
{
    float *out = l->out;
    for (size_t i = 0; i < (size_t)l->h * (size_t)l->w; i++)
        for (int j = 0; j < l->input_count; j++) {
            const net_layer *part = n->layers + l->inputs[j];
            memcpy(out, part->out + i * (size_t)part->lanes, (size_t)part->lanes * sizeof *out);
            out += part->lanes;
        }
}

static void resize(const net_layer *l, const net_layer *in)
{
    size_t pixel = (size_t)l->lanes;
    float *out = l->out;
    for (int y = 0; y < l->h; y++)
    for (int x = 0; x < l->w; x++, out += pixel)
        memcpy(out, in->out + ((size_t)(y / l->scale) * (size_t)in->w + (size_t)(x / l->scale)) * pixel,
               pixel * sizeof *out);
}

void net_run(net *n, const kernels *kernel, net_watch *watch, void *context)
{
    for (int i = 0; i < n->count; i++) {
        net_layer *l = n->layers + i;
        const net_layer *in = n->layers + l->inputs[0];
        switch (l->op) {
        case OP_INPUT: break;
        case OP_CONV:
        case OP_MAXPOOL: run_window(n, l, kernel); break;
        case OP_RESIZE: resize(l, in); break;
        case OP_CONCAT: concat(n, l); break;
        case OP_ADD: kernel->add(l->out, in->out, n->layers[l->inputs[1]].out, (int)floats(l), l->relu); break;
        case OP_MEAN: kernel->mean(l->out, in->out, in->h * in->w, in->lanes); break;
        case OP_DENSE: {
            window_shape s = {1, 1, (int)floats(in), 1, 1, l->lanes, 1, 1, l->relu};
            kernel->conv(l->out, in->out, l->weight, l->bias, &s);
        }
        }
        if (watch) watch(context, n, l);
    }
}

float *net_input(net *n) { return n->layers[0].out; }

net_layer *net_find(net *n, const char *name)
{
    int i = find_layer(n, (text){name, strlen(name)});
    return i < 0 ? NULL : n->layers + i;
}
