/* cam.c - class activation map and its place on the film. */
#include "engine/cam.h"

void cam_map(float *map, const net_layer *features, const net_layer *logits, int label)
{
    int count = features->d->h * features->d->w, c_stride = features->d->c_stride;
    float most = 0;
    for (int i = 0; i < count; i++) {
        float sum = 0;
        for (int k = 0; k < c_stride; k++)
            sum += logits->weight[packed_index(label, k, c_stride)] * features->out[i * c_stride + k];
        map[i] = sum > 0 ? sum : 0;
        if (map[i] > most) most = map[i];
    }
    for (int i = 0; i < count && most > 0; i++) map[i] /= most;
}

void cam_heatmap(float *out, const float *map, int h, int w, const float box[4], const lungs *l)
{
    for (int y = 0; y < l->side; y++)
        for (int x = 0; x < l->side; x++) {
            float u = (((float)x + 0.5f) / (float)l->side - box[0]) / (box[2] - box[0]);
            float v = (((float)y + 0.5f) / (float)l->side - box[1]) / (box[3] - box[1]);
            int inside = u >= 0 && u <= 1 && v >= 0 && v <= 1;
            *out++ = inside ? l->mask[y * l->side + x] * grid_at(map, w, h, u, v) : 0;
        }
}
