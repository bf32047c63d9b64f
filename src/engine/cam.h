/* cam.h - where the evidence lies: the class activation map. */
#ifndef PLEURA_CAM_H
#define PLEURA_CAM_H

#include "engine/lungs.h"
#include "nn/net.h"

/* Class activation map (Zhou et al., 2016): sum over k of weight[label][k] * features[y][x][k], negative evidence cut
 * off, largest value 1. map: [features->h][features->w]; all zeros when nothing speaks for the label. */
void cam_map(float *map, const net_layer *features, const net_layer *logits, int label);

/* The map, [h][w] over the box (fractions of the film), laid over the whole film and confined to the lungs:
 * out[l->side][l->side], 0..1. */
void cam_heatmap(float *out, const float *map, int h, int w, const float box[4], const lungs *l);

#endif
