/* engine.h - struct pleura_engine, for the files of this wing alone. */
#ifndef PLEURA_ENGINE_H
#define PLEURA_ENGINE_H

#include "engine/lungs.h"
#include "nn/net.h"
#include "pleura.h"

enum { MAX_LABELS = 64, MAX_CHANNELS = 4, PLAIN_SIDE = 64, QUANTILES = 101 };

struct pleura_engine {
    gguf weights;
    arena memory;
    kernels kernels;
    int8_kernels int8;  /* what kernels.int8 points to */
    net lungs_net, net; /* lungs_net.count is 0 for weights without lungs: the net then sees the whole film */
    net_layer *mask, *lungs_gate, *features, *logits, *gate; /* mask and gates may be NULL, so may features */
    lungs lungs;
    int *scratch;     /* for lungs_find */
    float *crop_mask; /* the lungs at the second net's own size, or the whole film's plain greys */
    float *map, *heatmap;
    float lungs_quantiles[QUANTILES], quantiles[QUANTILES]; /* of the two gates */
    int label_count;
    float input_scale[MAX_CHANNELS], input_offset[MAX_CHANNELS]; /* of a net without lungs that wants plain greys */
    int plain_greys;
    float temperature, certain, margin, gate_least, area_least, area_most, balance_least, doubt_most, chroma_most;
    int blur;
    float prior[MAX_LABELS];      /* the mixture that the probabilities stand for; 0 where the weights tell none */
    float odds[MAX_LABELS];       /* share / prior of each label */
    int moved;                    /* whether they are in force, else the weights' own prior */
    float scores[2 * MAX_LABELS]; /* logits, then probabilities */
    film film;
};

/* gate.c */
float gate_percentile(const net_layer *gate, const float *quantiles);
pleura_gate gate_reason(const pleura_engine *e, int seen, float score, pleura_gate told);

/* posterior.c */
int is_distribution(const float *shares, int count);
int argmax(const float *values, int count);
void posterior(float *probability, const float *logits, const float *odds, const pleura_engine *e);

/* model.c */
pleura_status model_read(pleura_engine *e);

/* pleura.c */
int engine_prepare(pleura_engine *e, float *score);

#endif
