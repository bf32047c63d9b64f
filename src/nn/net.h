/* net.h - a network that runs: the layers of graph.h with their weights and their outputs.
 *
 * net_parse reads the graph and gives each layer the layer_ops of its number type (f32_layers.h, int8_layers.h). It
 * also plans the memory: an output's floats are reused as soon as the last layer that reads it has run. net_load then
 * reads the weights, net_place takes the memory of one run, and net_run runs the layers in order. Sizes count floats.
 */
#ifndef PLEURA_NET_H
#define PLEURA_NET_H

#include "nn/arena.h"
#include "nn/graph.h"
#include "nn/int8.h"

typedef struct layer_ops layer_ops;

typedef struct {
    const layer_desc *d; /* what the graph says about this layer */
    const layer_ops *ops;
    int winograd;         /* a 3 x 3 convolution that runs by Winograd's algorithm, on transformed weights */
    float *weight, *bias; /* conv, depthwise and dense: packed as in f32.h, by Winograd [36][cout/4][cin][4] */
    int8_weights int8;    /* the same for a layer that reads int8 */
    float scale;          /* of an int8 output: q stands for scale * (q - zero_point); 0 for a float output */
    int zero_point;
    int last_use;  /* the last layer that reads the output; its own number if none does */
    size_t offset; /* of the output in the activations */
    float *out;    /* [h][w][c_stride] while the net runs; an int8 output is uint8_t */
} net_layer;

typedef struct {
    const char *graph; /* its name */
    layer_desc descs[GRAPH_MAX_LAYERS];
    net_layer layers[GRAPH_MAX_LAYERS];
    int count;
    size_t weights, staging;       /* the arena holds the weights for good, the staging only while net_load runs */
    size_t activations, workspace; /* for each run: all outputs, and the most that any layer needs besides */
    float *work;                   /* [workspace] */
} net;

/* What a number type does with a layer. The network walks the layers without knowing which type each has. */
struct layer_ops {
    /* Checks the layer and its tensors and chooses its kernel. Adds the size of its weights to n->weights and raises
     * n->staging to what loading them needs. */
    pleura_status (*check)(net *n, net_layer *l, const gguf *g);
    /* What running the layer needs besides its inputs and output. */
    size_t (*workspace)(const net *n, const net_layer *l);
    /* Takes the weights from the arena and fills them, with staging behind them that it gives back. */
    pleura_status (*load)(const net *n, net_layer *l, const gguf *g, arena *a);
    /* Computes the output, including an activation up to ACT_RELU6; net_step applies the others. */
    void (*run)(const net *n, const net_layer *l, const kernels *k);
};

/* Reads the graph and checks it against its tensors. Layers named in keep (NULL-terminated) stay readable after a run.
 * PLEURA_MODEL_UNSUPPORTED if it has unknown parts or if a run would take very long. A net must not be copied, since it
 * points into itself. */
pleura_status net_parse(net *n, const gguf *g, const char *graph, const char *const *keep);

/* Takes n->weights floats from the arena and fills them; meanwhile it uses n->staging more. int8 weights are read in
 * place, from the file. PLEURA_MODEL_DAMAGED if a weight is not finite or an int8 sum could overflow. */
pleura_status net_load(net *n, const gguf *g, arena *a);

/* Reserves the activations and the workspace; the caller may rewind the arena once it has read the results. */
pleura_status net_place(net *n, arena *a);

/* net_run computes all layers from what net_input points to; net_step computes layer i from the outputs before it. */
void net_step(net *n, const kernels *k, int i);
void net_run(net *n, const kernels *k);

/* Multiply-accumulates of layer i by its definition; Winograd needs fewer. 0 for a layer without weights. */
uint64_t net_macs(const net *n, int i);

/* The input, [h][w][c], which the caller fills before each run. */
float *net_input(net *n);

/* The layer of that name, or NULL. */
net_layer *net_find(net *n, const char *name);

/* Whether the output is int8 instead of float. */
static inline int net_is_int8(const net_layer *l) { return l->scale > 0; }

/* The shape of a layer's kernel on an input of h x w pixels, borders included. */
static inline window_shape net_window(const layer_desc *d, const layer_desc *in, int h, int w)
{
    return (window_shape){h, w, in->c_stride, d->h, d->w, d->c_stride, d->k, d->stride, d->act, 0};
}

/* Input number `i` of a layer. */
static inline const net_layer *net_source(const net *n, const net_layer *l, int i)
{
    return n->layers + l->d->inputs[i];
}

#endif
