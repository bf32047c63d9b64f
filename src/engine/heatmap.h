/* heatmap.h - where the evidence lies, laid over the film.
 *
 * There are two kinds of maps. An opacity map is an output of the network, which learned it from boxes that
 * radiologists drew. A class activation map (Zhou et al., 2016) explains the logit of a label: when logits are a dense
 * layer over the mean of a layer of features, each pixel of the features contributes
 *     sum over k of weight[label][k] * features[y][x][k]
 * to it. Both cover the box of the crop (fractions of the film). */
#ifndef PLEURA_HEATMAP_H
#define PLEURA_HEATMAP_H

#include "engine/lungs.h"
#include "nn/net.h"

/* map[h][w] of the features: contributions to the label, negative ones as 0, divided by the largest. All 0 when nothing
 * speaks for the label. */
void cells_of_label(float *map, const net_layer *features, const net_layer *logits, int label);

/* map[h][w]: the logits of opacity, without the padding of the layer's output. */
void cells_of_opacity(float *map, const net_layer *opacity);

/* out[side][side] of the lungs, 0..1: map[height][width], which covers the box, bilinear between the centres of its
 * cells, times the probability of lung. With logits, the map's values become probabilities after they are
 * interpolated. All 0 outside the box, and without a map (NULL). */
void heatmap_draw(float *out, const float *map, int width, int height, int logits, const float box[4], const lungs *l);

/* extent[2]: the share of each lung where the heatmap, divided by the probability of lung, is at least min: of the lung
 * at the left of the film and of that at its right, parted at the middle of the lungs' box. 0 for a lung that is not
 * there. */
void heatmap_extent(float extent[2], const float *heatmap, float min, const lungs *l);

#endif
