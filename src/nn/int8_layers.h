/* int8_layers.h - the layers whose inputs or output are int8 (int8.h). */
#ifndef PLEURA_INT8_LAYERS_H
#define PLEURA_INT8_LAYERS_H

#include "nn/net.h"

extern const layer_ops int8_layers;

/* Reads scale and zero point of layer `number`'s output; scale 0 when the graph has none. PLEURA_MODEL_DAMAGED when one
 * is out of range. */
pleura_status int8_read_quantisation(net_layer *l, int number, const gguf *g, const char *graph);

#endif
