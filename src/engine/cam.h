/* cam.h - where the evidence lies: the class activation map (Zhou et al., 2016).
 *
 * When logits are a dense layer over the mean of a layer of features, each pixel of the features contributes
 *     sum over k of weight[label][k] * features[y][x][k]
 * to the logit of a label. The map shows the positive contributions, and the heatmap lays it over the film. */
#ifndef PLEURA_CAM_H
#define PLEURA_CAM_H

#include "engine/lungs.h"
#include "nn/net.h"

/* map[h][w] of the features: contributions to the label, negative ones as 0, divided by the largest. All 0 when nothing
 * speaks for the label. */
void cam_map(float *map, const net_layer *features, const net_layer *logits, int label);

/* out[side][side] of the lungs, 0..1: the map of these features, which covers the box (fractions of the film), times
 * the probability of lung. All 0 outside the box, and without features (NULL). */
void cam_heatmap(float *out, const float *map, const net_layer *features, const float box[4], const lungs *l);

#endif
