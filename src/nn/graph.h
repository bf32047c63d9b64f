/* graph.h - the layers of a network as the weights describe them: lines of text to shapes.
 *
 * A graph is the array of strings "pleura.<graph>.graph", one line a layer, in the order of execution:
 *     image  = input h=128 w=128 c=1
 *     enc1   = conv image k=3 stride=1 pad=1 c=12 act=relu     square window, zero padding
 *     light  = depthwise enc1 k=3 stride=2 pad=0 after=1       each channel by itself; k=1 is a scale and a shift
 *     down1  = maxpool enc1 k=2 stride=2                       avgpool likewise, without padding
 *     up1    = resize enc2 scale=2                             nearest; mode=linear between pixels' middles
 *     cat1   = concat up1 enc1                                 channels of each in turn, no padding between; 2 to 4
 *     sum1   = add a b act=relu
 *     gated  = mul a b                                         b has a's shape, or one pixel of as many channels
 *     bent   = act a act=silu
 *     pool   = mean features                                   over all pixels
 *     logits = dense pool c=3                                  input flattened in HWC order
 *     small  = quantise image                                  floats to bytes (int8.h); dequantise: back
 * act is none, relu, relu6, silu, hardswish, hardsigmoid, sigmoid or tanh. Defaults: stride 1, pad 0, after (padding
 * below and to the right) as pad, act none. The first line is the only input. Channels of all other layers are padded
 * to a multiple of 4 by channels that nothing counts; `c` is the number that counts.
 *
 * "pleura.<graph>.steps" and "pleura.<graph>.zeros", one number a line, tell which outputs are bytes and for what they
 * stand; a step of 0 is a float. Without them all are floats. */
#ifndef PLEURA_GRAPH_H
#define PLEURA_GRAPH_H

#include "nn/gguf.h"
#include "nn/int8.h"

/* Floats: 1 GiB for the outputs, for the weights, for the scratch. No honest network here comes near. */
enum { GRAPH_MAX_LAYERS = 640, GRAPH_MAX_INPUTS = 4, GRAPH_MAX_DIM = 4096, GRAPH_MAX_FLOATS = 1 << 28 };

typedef enum {
    OP_INPUT,
    OP_CONV,
    OP_DEPTHWISE,
    OP_MAXPOOL,
    OP_AVGPOOL,
    OP_RESIZE,
    OP_CONCAT,
    OP_ADD,
    OP_MUL,
    OP_ACT,
    OP_MEAN,
    OP_DENSE,
    OP_QUANTISE,
    OP_DEQUANTISE
} graph_op;

typedef struct {
    text name; /* points into the weights file */
    graph_op op;
    int inputs[GRAPH_MAX_INPUTS], input_count; /* numbers of earlier layers */
    int k, stride, pad, after, scale, linear;
    activation act;
    int h, w, c, lanes; /* output; lanes = c padded to 4, or c for the input */
    /* What net.c and bytes.c add: */
    int tiled;            /* a 3 x 3 convolution by Winograd's tiles: weight is [36][cout/4][cin][4], or see int8.h */
    float *weight, *bias; /* conv, depthwise and dense */
    int8_weights int8;    /* the same of a layer that reads bytes */
    float step;           /* of an output in bytes, else 0 */
    int zero;
    int last_use; /* the last layer that reads the output; its own number for one that is never read */
    size_t place; /* of the output, in floats from the start of the activations */
    float *out;   /* [h][w][lanes] while the net runs; of bytes where there is a step */
} graph_layer;

/* Reads line `number` of the graph into layers[number], with the layers before it already there: words, then shape. */
pleura_status graph_read(graph_layer *layers, int number, text line);

/* The number of the layer of that name among the first `count`, or -1. */
int graph_find(const graph_layer *layers, int count, text name);

/* Values in the output, padding included. */
size_t graph_values(const graph_layer *l);

#endif
