/* f32_layers.h - the layers whose inputs and output are float. */
#ifndef PLEURA_F32_LAYERS_H
#define PLEURA_F32_LAYERS_H

#include "nn/net.h"

extern const layer_ops f32_layers;

#endif
