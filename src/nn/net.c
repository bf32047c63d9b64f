/* net.c - the walk over the layers: parse and check them, plan their memory, load them, run them.
 *
 * The plan is static. An output lives from its own layer to the last layer that reads it, so outputs whose lives do not
 * overlap share memory: each takes the lowest offset that is free while it lives (first fit). The layer_ops of a layer
 * know how to compute it; this file knows number types only by the size of a value. */
#include "nn/net.h"

#include "nn/f32_layers.h"
#include "nn/int8_layers.h"

#include <string.h>

/* 2^38 multiply-accumulates, 16 times those of VGG-16. One core of an AMD EPYC does 31 billion a second in Node on the
 * shipped model, which would be 9 s per film; without Winograd it takes several times as long. */
static const uint64_t MAX_WORK = (uint64_t)1 << 38;

static size_t value_size(const net_layer *l) { return net_is_int8(l) ? sizeof(uint8_t) : sizeof(float); }

/* Floats that hold the output. */
static size_t output_size(const net_layer *l)
{
    return arena_floats((graph_values(l->d) * value_size(l) + sizeof(float) - 1) / sizeof(float));
}

/* Multiply-accumulates, or for a layer without weights the values that it reads. */
static uint64_t work_of(const net *n, int i)
{
    const layer_desc *d = n->descs + i;
    uint64_t window = d->op == OP_MAXPOOL || d->op == OP_AVGPOOL ? (uint64_t)(d->k * d->k) : 1;
    return graph_has_weights(d) ? net_macs(n, i) : graph_values(d) * window;
}

/* int8 if the output or any input is. */
static const layer_ops *choose_ops(const net *n, const net_layer *l)
{
    int int8 = net_is_int8(l);
    for (int i = 0; i < l->d->input_count; i++) int8 |= net_is_int8(net_source(n, l, i));
    return int8 ? &int8_layers : &f32_layers;
}

/* Reads line n->count of the graph and checks its layer. */
static pleura_status parse_layer(net *n, const gguf *g, text line)
{
    net_layer *l = n->layers + n->count;
    *l = (net_layer){.d = n->descs + n->count, .last_use = n->count};
    pleura_status status = graph_read(n->descs, n->count, line);
    if (!status) status = int8_read_quantisation(l, n->count, g, n->graph);
    if (status) return status;
    l->ops = choose_ops(n, l);
    status = l->ops->check(n, l, g);
    if (!status && n->weights > GRAPH_MAX_FLOATS) status = PLEURA_MODEL_DAMAGED;
    for (int i = 0; i < l->d->input_count; i++) n->layers[l->d->inputs[i]].last_use = n->count;
    return status;
}

/* First fit: the lowest offset at which no output that is still in use lies. */
static void plan(net *n)
{
    for (int i = 0; i < n->count; i++) {
        net_layer *l = n->layers + i;
        size_t size = output_size(l), offset = 0;
        for (int j = 0; j < i; j++) {
            const net_layer *other = n->layers + j;
            size_t end = other->offset + output_size(other);
            if (other->last_use < i || other->offset >= offset + size || end <= offset) continue;
            offset = end;
            j = -1; /* start again: the new offset may hit an output that the old one missed */
        }
        l->offset = offset;
        if (offset + size > n->activations) n->activations = offset + size;
        size_t workspace = l->ops->workspace(n, l);
        if (workspace > n->workspace) n->workspace = workspace;
    }
}

pleura_status net_parse(net *n, const gguf *g, const char *graph, const char *const *keep)
{
    char key[GGUF_MAX_KEY];
    text line;
    uint64_t work = 0;
    *n = (net){.graph = graph};
    gguf_graph_key(key, graph, "graph");
    uint64_t lines = gguf_count(g, key);
    if (lines < 2) return PLEURA_MODEL_DAMAGED;
    if (lines > GRAPH_MAX_LAYERS) return PLEURA_MODEL_UNSUPPORTED;
    for (; n->count < (int)lines; n->count++) {
        if (!gguf_text(&line, g, key, (uint64_t)n->count)) return PLEURA_MODEL_DAMAGED;
        pleura_status status = parse_layer(n, g, line);
        if (status) return status;
        if ((work += work_of(n, n->count)) > MAX_WORK) return PLEURA_MODEL_UNSUPPORTED;
    }
    for (; *keep; keep++) { /* kept layers live to the end of the run */
        net_layer *l = net_find(n, *keep);
        if (l) l->last_use = n->count;
    }
    plan(n);
    return n->activations > GRAPH_MAX_FLOATS || n->workspace > GRAPH_MAX_FLOATS ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

pleura_status net_load(net *n, const gguf *g, arena *a)
{
    pleura_status status = PLEURA_OK;
    for (int i = 0; i < n->count && !status; i++)
        if (graph_has_weights(n->descs + i)) status = n->layers[i].ops->load(n, n->layers + i, g, a);
    return status;
}

pleura_status net_place(net *n, arena *a)
{
    float *activations = arena_take(a, n->activations, sizeof(float));
    n->work = arena_take(a, n->workspace, sizeof(float));
    if (!activations || !n->work) return PLEURA_MEMORY;
    for (int i = 0; i < n->count; i++) n->layers[i].out = activations + n->layers[i].offset;
    return PLEURA_OK;
}

/* memcpy for the few bytes of a pixel: a call would take longer than the copy. Returns the end of what it wrote. */
static char *copy_pixel(char *out, const char *in, size_t size)
{
    for (; size >= 4; size -= 4, in += 4, out += 4) memcpy(out, in, 4);
    for (; size; size--) *out++ = *in++;
    return out;
}

/* Copies the real channels of each part side by side, then pads the pixel with zeros. Any number type. */
static void concat(const net *n, const net_layer *l)
{
    size_t size = value_size(l), padding = (size_t)(l->d->c_stride - l->d->c) * size;
    char *out = (char *)l->out;
    for (size_t i = 0; i < (size_t)l->d->h * (size_t)l->d->w; i++) {
        for (int j = 0; j < l->d->input_count; j++) {
            const net_layer *part = net_source(n, l, j);
            size_t channels = (size_t)part->d->c * size;
            out = copy_pixel(out, (const char *)part->out + i * (size_t)part->d->c_stride * size, channels);
        }
        for (size_t end = padding; end; end--) *out++ = 0;
    }
}

/* Makes scale x scale pixels of each: copies of it, or by RESIZE_SHUFFLE each a part of its channels, row by row, padded
 * with zeros. Any number type. */
static void resize(const net_layer *l, const net_layer *in)
{
    int scale = l->d->scale;
    size_t size = value_size(l), from = (size_t)in->d->c_stride * size, to = (size_t)l->d->c_stride * size;
    size_t part = l->d->mode == RESIZE_SHUFFLE ? (size_t)l->d->c * size : 0, copied = part ? part : to;
    char *out = (char *)l->out;
    for (int y = 0; y < l->d->h; y++)
        for (int x = 0; x < l->d->w; x++) {
            const char *source = (const char *)in->out + (size_t)(y / scale * in->d->w + x / scale) * from;
            out = copy_pixel(out, source + (size_t)(y % scale * scale + x % scale) * part, copied);
            for (size_t end = to - copied; end; end--) *out++ = 0;
        }
}

void net_step(net *n, const kernels *k, int i)
{
    const net_layer *l = n->layers + i;
    const layer_desc *d = l->d;
    if (d->op == OP_INPUT) return;
    if (d->op == OP_CONCAT) concat(n, l);
    else if (d->op == OP_RESIZE && d->mode != RESIZE_LINEAR) resize(l, net_source(n, l, 0));
    else l->ops->run(n, l, k);
    if (d->op == OP_ACT || d->act > ACT_RELU6) k->activate(l->out, (int)graph_values(d), d->act);
}

void net_run(net *n, const kernels *k)
{
    for (int i = 0; i < n->count; i++) net_step(n, k, i);
}

uint64_t net_macs(const net *n, int i)
{
    const layer_desc *d = n->descs + i;
    int k;
    uint64_t cin;
    if (!graph_has_weights(d)) return 0;
    graph_window(&k, &cin, d, n->descs);
    return (uint64_t)d->h * (uint64_t)d->w * (uint64_t)d->c * (uint64_t)k * (uint64_t)k * cin;
}

float *net_input(net *n) { return n->layers[0].out; }

net_layer *net_find(net *n, const char *name)
{
    int i = graph_find(n->descs, n->count, (text){name, strlen(name)});
    return i < 0 ? NULL : n->layers + i;
}
