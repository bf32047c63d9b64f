/* net.h - the layers of graph.h with their weights: loaded, planned into an arena, run layer by layer. */
#ifndef PLEURA_NET_H
#define PLEURA_NET_H

#include "nn/arena.h"
#include "nn/graph.h"

typedef struct {
    const char *graph;
    graph_layer layers[GRAPH_MAX_LAYERS];
    int count;
    size_t weights, staging;     /* floats that the arena must hold: for good; while net_load runs */
    size_t activations, scratch; /* for each run: all outputs; one layer's bordered input and tiles */
    float *base, *padded;
} net;

/* Reads the graph and checks it against its tensors. Layers named in keep (NULL-terminated) stay readable after a run.
 * PLEURA_MODEL_UNSUPPORTED also when a run would take very long. */
pleura_status net_parse(net *n, const gguf *g, const char *graph, const char *const *keep);

/* Takes n->weights floats and fills them, with n->staging more in use meanwhile. The weights of byte layers stay where
 * they are in the file. PLEURA_MODEL_DAMAGED when a weight is not finite or a byte layer's sums could overflow. */
pleura_status net_load(net *n, const gguf *g, arena *a);

/* Takes n->activations + n->scratch floats; may be rewound after the results have been read. */
pleura_status net_place(net *n, arena *a);

/* Runs layer i on the outputs of the layers before it; running all in order runs the net on what net_input points to.
 */
void net_step(net *n, const kernels *k, int i);
void net_run(net *n, const kernels *k);

/* Products that layer i takes, as its definition counts them: a tiled convolution needs fewer. */
uint64_t net_products(const net *n, int i);

/* The input, [h][w][c], to be filled before each run. */
float *net_input(net *n);

/* The layer of that name, or NULL. */
graph_layer *net_find(net *n, const char *name);

#endif
