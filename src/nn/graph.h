/* graph.h - parses the description of a network: one line of text per layer becomes its inputs and shapes.
 *
 * A graph is the array of strings "pleura.<graph>.graph", one line per layer, in the order of execution:
 *     image  = input h=128 w=128 c=1
 *     enc1   = conv image k=3 stride=1 pad=1 c=12 act=relu     square window, zero padding
 *     light  = depthwise enc1 k=3 stride=2 pad=0 after=1       one filter per channel; k=1 is a scale and a shift
 *     down1  = maxpool enc1 k=2 stride=2                       avgpool is alike, but has no padding
 *     wide   = conv down1 k=3 pad=0 left=1 right=1 c=8         columns padded unlike rows; float layers only
 *     up1    = resize enc2 scale=2                             nearest; mode=linear: bilinear, half-pixel centres
 *     up2    = resize enc2 scale=2 mode=shuffle                a pixel's channels become scale * scale pixels, row by row
 *     cat1   = concat up1 enc1                                 the channels of 2 to 4 layers, without padding between
 *     sum1   = add a b act=relu
 *     gated  = mul a b                                         b has the shape of a, or is one pixel as deep as a
 *     bent   = act a act=silu
 *     pool   = mean features                                   global average pool
 *     logits = dense pool c=3                                  reads its input flattened in HWC order
 *     small  = quantise image                                  float to int8 (int8.h); dequantise: back to float
 * act is none, relu, relu6, silu, hardswish, hardsigmoid, sigmoid, tanh, exp, erf, sqrt, reciprocal, log or uint8.
 * Defaults: stride 1, pad 0, after (padding below and to the right) as pad, left as pad, right as after, act none. The
 * first line is the only input. All other layers pad their channels to a multiple of 4; `c` is the real count.
 *
 * "pleura.<graph>.steps" and "pleura.<graph>.zeros" hold the scale and the zero point of each layer's output, one
 * number per line. A scale of 0 means float; without these arrays all layers are float. */
#ifndef PLEURA_GRAPH_H
#define PLEURA_GRAPH_H

#include "nn/activation.h"
#include "nn/gguf.h"

/* GRAPH_MAX_FLOATS caps the outputs, the weights and the workspace at 1 GiB each, far beyond any real network here. */
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
    OP_GLOBAL_AVGPOOL,
    OP_DENSE,
    OP_QUANTISE,
    OP_DEQUANTISE
} graph_op;

typedef enum { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_SHUFFLE } resize_mode;

/* What a line says; net.h adds the weights and the state of a run. */
typedef struct {
    text name; /* points into the weights file */
    graph_op op;
    int inputs[GRAPH_MAX_INPUTS], input_count; /* numbers of earlier layers */
    int k, stride, pad, pad_end;               /* pad: above; pad_end: below */
    int pad_left, pad_right;
    int scale; /* how many times larger a resize makes its input */
    resize_mode mode;
    activation act;
    int h, w, c;  /* output */
    int c_stride; /* values from pixel to pixel of the output: c padded to a multiple of 4; c itself for the input */
} layer_desc;

/* Reads line `number` of the graph into layers[number]; the layers before it are already there. */
pleura_status graph_read(layer_desc *layers, int number, text line);

/* The number of the layer of that name among the first `count`, or -1. */
int graph_find(const layer_desc *layers, int count, text name);

/* Values in the output, padding included. */
size_t graph_values(const layer_desc *l);

/* Whether the layer has a weight and a bias: conv, depthwise and dense do. */
int graph_has_weights(const layer_desc *l);

int graph_is_padded(const layer_desc *l);

/* What one output value of a layer with weights sums over: a window of k x k pixels with cin channels. A dense layer
 * is one window of one pixel. */
void graph_window(int *k, uint64_t *cin, const layer_desc *l, const layer_desc *layers);

#endif
