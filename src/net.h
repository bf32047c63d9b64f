/* net.h - a graph of layers from the weights file: parsed, planned into an arena, run layer by layer.
 *
 * A graph is the array of strings "pleura.<graph>.graph", one line a layer, in the order of execution:
 *     image  = input h=128 w=128 c=1
 *     enc1   = conv image k=3 stride=1 pad=1 c=12 act=relu     square window, zero padding
 *     down1  = maxpool enc1 k=2 stride=2
 *     up1    = resize enc2 scale=2                             nearest
 *     cat1   = concat up1 enc1                                 channels of each in turn, up to 4 inputs
 *     sum1   = add a b act=relu
 *     pool   = mean features                                   over all pixels
 *     logits = dense pool c=3                                  input flattened in HWC order
 * Defaults: stride 1, pad 0, act none. The first line is the only input. Channels of all other layers are padded to a
 * multiple of 4 by channels that stay zero; `c` is the number that counts. */
#ifndef PLEURA_NET_H
#define PLEURA_NET_H

#include "arena.h"
#include "gguf.h"
#include "kernels.h"

enum { NET_MAX_LAYERS = 160, NET_MAX_INPUTS = 4 };

typedef enum { OP_INPUT, OP_CONV, OP_MAXPOOL, OP_RESIZE, OP_CONCAT, OP_ADD, OP_MEAN, OP_DENSE } net_op;

typedef struct {
    text name; /* points into the weights file */
    net_op op;
    int inputs[NET_MAX_INPUTS], input_count; /* numbers of earlier layers */
    int k, stride, pad, relu, scale;
    int h, w, c, lanes;    /* output; lanes = c padded to 4, or c for the input */
    int tiled;             /* a 3 x 3 convolution by Winograd's tiles: weight is [36][cout/4][cin][4] */
    float *weight, *bias;  /* conv and dense */
    int last_use;          /* the last layer that reads the output; its own number for one that is never read */
    size_t place;          /* of the output, in floats from the start of the activations */
    float *out;            /* [h][w][lanes] while the net runs */
} net_layer;

typedef struct {
    const char *graph;
    net_layer layers[NET_MAX_LAYERS];
    int count;
    size_t weights, staging;         /* floats that the arena must hold: for good; while net_load runs */
    size_t activations, scratch;     /* for each run: all outputs; one layer's bordered input and tiles */
    float *base, *padded;
} net;

/* Reads the graph and checks it against its tensors. Layers named in keep (NULL-terminated) stay readable after a run. */
pleura_status net_parse(net *n, const gguf *g, const char *graph, const char *const *keep);

/* Takes n->weights floats and fills them, with n->staging more in use meanwhile. PLEURA_MODEL_DAMAGED when a weight is
 * not finite. */
pleura_status net_load(net *n, const gguf *g, arena *a);

/* Takes n->activations + n->scratch floats; may be rewound after the results have been read. */
pleura_status net_place(net *n, arena *a);

/* Runs the net on what net_input points to. After each layer, watch (when not NULL) is called while its output is there. */
typedef void net_watch(void *context, const net *n, const net_layer *layer);
void net_run(net *n, const kernels *k, net_watch *watch, void *context);

/* The input, [h][w][c], to be filled before each run. */
float *net_input(net *n);

/* The layer of that name, or NULL. */
net_layer *net_find(net *n, const char *name);

#endif
