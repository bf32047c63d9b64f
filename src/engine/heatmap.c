/* heatmap.c - the maps of evidence and their place on the film. */
#include "engine/heatmap.h"

#include <string.h>

#include "nn/f32.h"

void cells_of_label(float *map, const net_layer *features, const net_layer *logits, int label)
{
    int count = features->d->h * features->d->w, c_stride = features->d->c_stride;
    float max = 0;
    for (int i = 0; i < count; i++) {
        float sum = 0;
        for (int k = 0; k < c_stride; k++)
            sum += logits->weight[packed_index(label, k, c_stride)] * features->out[i * c_stride + k];
        map[i] = sum > 0 ? sum : 0;
        if (map[i] > max) max = map[i];
    }
    for (int i = 0; i < count && max > 0; i++) map[i] /= max;
}

void cells_of_opacity(float *map, const net_layer *opacity)
{
    int count = opacity->d->h * opacity->d->w, c_stride = opacity->d->c_stride;
    for (int i = 0; i < count; i++) map[i] = opacity->out[i * c_stride];
}

void heatmap_draw(float *out, const float *map, int width, int height, int logits, const float box[4], const lungs *l)
{
    int side = l->side;
    memset(out, 0, (size_t)side * (size_t)side * sizeof *out);
    for (int y = 0; map && y < side; y++)
        for (int x = 0; x < side; x++) {
            float u = (((float)x + 0.5f) / (float)side - box[0]) / (box[2] - box[0]);
            float v = (((float)y + 0.5f) / (float)side - box[1]) / (box[3] - box[1]);
            float lung = l->mask[y * side + x];
            if (!(lung > 0 && u >= 0 && u <= 1 && v >= 0 && v <= 1)) continue;
            float value = grid_at(map, width, height, u, v);
            out[y * side + x] = lung * (logits ? 1 / (1 + pleura_exp(-value)) : value);
        }
}

void heatmap_extent(float extent[2], const float *heatmap, float min, const lungs *l)
{
    int side = l->side;
    float lung[2] = {0, 0}, opacity[2] = {0, 0}, middle = (l->x0 + l->x1) / 2 * (float)side;
    for (int i = 0; i < side * side; i++) {
        int half = (float)(i % side) + 0.5f > middle;
        lung[half] += l->mask[i];
        if (heatmap[i] >= min * l->mask[i] && heatmap[i] > 0) opacity[half] += l->mask[i];
    }
    for (int half = 0; half < 2; half++) extent[half] = lung[half] > 0 ? opacity[half] / lung[half] : 0;
}
