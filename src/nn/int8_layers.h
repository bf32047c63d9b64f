/* int8_layers.h - what net.c does with a layer, for those that read or write bytes (int8.h): checked, measured, loaded,
 * run.
 *
 * `layers` are a net's layers, `l` one of them; sizes count floats, as in net.h. */
#ifndef PLEURA_BYTES_H
#define PLEURA_BYTES_H

#include "nn/arena.h"
#include "nn/graph.h"

/* Sets what layer `number`'s output stands for, with the layers before it already there. */
pleura_status bytes_read_step(graph_layer *layers, int number, const gguf *g, const char *graph);

/* Checks the tensors of a layer that reads bytes and chooses its kernel; adds what it keeps to *weights and raises
 * *staging to what loading it needs. */
pleura_status bytes_check(graph_layer *l, const graph_layer *layers, const gguf *g, const char *graph, size_t *weights,
                          size_t *staging);

/* Fills l->int8. The weights themselves stay in the file. PLEURA_MODEL_DAMAGED when a sum could overflow. */
pleura_status bytes_load(graph_layer *l, const graph_layer *layers, const gguf *g, const char *graph, arena *a);

/* What running a layer that reads bytes needs besides its input and output. */
size_t bytes_scratch(const graph_layer *l, const graph_layer *layers);

/* Runs one; activations beyond relu6, resize and concat are net.c's. */
void bytes_step(const graph_layer *l, const graph_layer *layers, const int8_kernels *kernel, float *scratch);

#endif
