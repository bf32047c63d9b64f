/* engine.h - struct pleura_engine and the functions that the files of this wing share; private to the wing. */
#ifndef PLEURA_ENGINE_H
#define PLEURA_ENGINE_H

#include "engine/lungs.h"
#include "nn/net.h"
#include "pleura.h"

enum {
    MAX_LABELS = 64,
    MAX_CHANNELS = 4,  /* of a third-party classifier's input */
    QUANTILES = 101,   /* 0 %, 1 %, ... 100 % */
    POSE_NO_CHEST = 4, /* outputs of the pose layer: 0 to 3 quarter turns to the left of upright, */
    POSE_INVERTED = 5, /* then no chest film, and, apart from these, inverted greys */
    POSE_OUTPUTS = 6,
    WHOLE_FILM_SIDE = 64 /* of the maps when no network looks for lungs */
};

/* Numbers from the weights; SETTINGS in model.c names their keys. */
typedef struct {
    float temperature; /* logits are divided by it */
    float certain;     /* a label needs this probability, else the verdict is uncertain */
    float margin;      /* around the lungs' box, as a fraction of its size */
    float blur;        /* binomial passes over the crop */
    float grow;        /* pixels of the lungs' mask by which it is widened */
    float contrast;    /* of the local contrast normalisation, see lungs.h */
    float min_opacity; /* the probability from which a pixel counts as opacity */
    float other;       /* the label that stands for any other finding, or -1 */
    float min_score;   /* of the out-of-distribution gates */
    float min_area, max_area, min_balance, max_doubt; /* of the lungs, see lungs.h */
    float max_chroma;                                 /* of the film, see film.h */
} settings;

/* An out-of-distribution gate is a layer that whitens the features of its network, so that the length of its output
 * says how far a film lies from the training films. */
typedef struct {
    const net_layer *layer;     /* NULL: the network has no gate */
    float quantiles[QUANTILES]; /* of that length over valid validation films, 0..100 % */
} ood_gate;

struct pleura_engine {
    gguf weights;
    arena memory;
    kernels kernels;
    int8_kernels int8; /* kernels.int8 points here, so that pleura_offer_products can replace its dot product */

    net lungs_net;         /* count 0 when the weights have none: the diagnosis then sees the whole film */
    const net_layer *mask; /* logits of lung; NULL without lungs_net */
    const net_layer *pose; /* [POSE_OUTPUTS] logits; NULL: unknown */
    ood_gate lungs_gate;

    net net; /* the diagnosis */
    const net_layer *logits;
    const net_layer *features; /* what the class activation map is made of; NULL: the network allows no map */
    const net_layer *opacity;  /* [h][w] logits of opacity over the crop; NULL: the network has no such output */
    ood_gate gate;

    settings settings;
    int label_count;
    float prior[MAX_LABELS];       /* class prior that the probabilities assume; all 0 if the weights have none */
    float prior_ratio[MAX_LABELS]; /* prevalence / prior, if a prevalence is set */
    int prevalence_set;
    int scaled_input; /* a third-party classifier: channel i of its input is grey * input_scale[i] + input_offset[i] */
    float input_scale[MAX_CHANNELS], input_offset[MAX_CHANNELS];

    film film; /* the film last diagnosed; no pixels before the first */
    lungs lungs;
    void *lungs_workspace;
    float *crop_mask; /* the lungs in the crop that the diagnosis sees; greys of the whole film for scaled_input */
    float *cells;     /* the map before it is laid over the film: [h][w] of features or of opacity */
    float *heatmap;   /* [lungs.side][lungs.side] */
    float scores[MAX_LABELS], probability[MAX_LABELS]; /* the logits and the posterior of a result */
};

/* Reads everything but the tensors of e->weights into the engine. */
pleura_status model_read(pleura_engine *e);

/* What the gate needs to know about a film before the diagnosis runs in the memory of the lungs network. */
typedef struct {
    int blank;
    float score;       /* of the lungs' gate */
    int quarter_turns; /* clockwise, that would make the film upright; 0 unless the weights are sure */
    int inverted;      /* whether its greys are inverted; 0 unless the weights are sure */
} film_state;

/* Fills the input of the diagnosis from e->film. */
film_state engine_prepare(pleura_engine *e);

/* Fills the pose of *s from the outputs of the lungs network. */
void gate_pose(film_state *s, const pleura_engine *e);

/* Share of valid validation films that lie farther from the training films than this one; 1 without a gate. */
float gate_percentile(const ood_gate *gate);

/* Why e->film is refused. s->score: the lower one of both gates. tag_reason: what the file says. */
pleura_gate gate_reason(const pleura_engine *e, const film_state *s, pleura_gate tag_reason);

/* True if shares are not negative and sum to 1 (within 0.001); NaN never does. */
int is_distribution(const float *shares, int count);

int argmax(const float *values, int count);

/* Fills label_count, probability, verdict and doubt of *r from its logits and gate: probability[k] is proportional to
 * softmax(logits / temperature)[k] * prior_ratio[k]. NULL: at the prior of the weights. */
void posterior_classify(pleura_engine *e, pleura_result *r, const float *prior_ratio);

#endif
