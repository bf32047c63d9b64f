/* cam.c - the class activation map and its place on the film. */
#include "engine/cam.h"

#include <string.h>

void cam_map(float *map, const net_layer *features, const net_layer *logits, int label)
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

void cam_heatmap(float *out, const float *map, const net_layer *features, const float box[4], const lungs *l)
{
    int side = l->side;
    memset(out, 0, (size_t)side * (size_t)side * sizeof *out);
    for (int y = 0; features && y < side; y++)
        for (int x = 0; x < side; x++) {
            float u = (((float)x + 0.5f) / (float)side - box[0]) / (box[2] - box[0]);
            float v = (((float)y + 0.5f) / (float)side - box[1]) / (box[3] - box[1]);
            if (u >= 0 && u <= 1 && v >= 0 && v <= 1)
                out[y * side + x] = l->mask[y * side + x] * grid_at(map, features->d->w, features->d->h, u, v);
        }
}
