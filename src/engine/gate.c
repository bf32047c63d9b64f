/* gate.c - whether a film may be classified at all.
 *
 * A classifier answers any picture, so the gate refuses what it was not validated on: a file whose header names another
 * kind of image, a blank or coloured image, one without two lungs, and one whose features lie too far from those of the
 * training films. */
#include <math.h>

#include "engine/engine.h"

const char *pleura_gate_code(int gate)
{
    switch (gate) {
#define X(name, number, code, text) \
    case number: return code;
        PLEURA_GATE_LIST(X)
#undef X
    default: return "";
    }
}

const char *pleura_gate_text(int gate)
{
    switch (gate) {
#define X(name, number, code, text) \
    case number: return text;
        PLEURA_GATE_LIST(X)
#undef X
    default: return "";
    }
}

float gate_percentile(const ood_gate *gate)
{
    if (!gate->layer) return 1;
    float squares = 0;
    for (int i = 0; i < gate->layer->d->c; i++) squares += gate->layer->out[i] * gate->layer->out[i];
    float distance = sqrtf(squares);
    for (int i = 0; i + 1 < QUANTILES; i++) {
        float low = gate->quantiles[i], high = gate->quantiles[i + 1];
        if (!(distance < high)) continue; /* NaN is never in-distribution */
        float within = distance > low ? (distance - low) / (high - low) : 0;
        return 1 - ((float)i + within) / (QUANTILES - 1);
    }
    return 0;
}

static int has_two_lungs(const lungs *l, const settings *s)
{
    return l->area > 0 && l->area >= s->min_area && l->area <= s->max_area && l->balance >= s->min_balance &&
        l->doubt <= s->max_doubt;
}

pleura_gate gate_reason(const pleura_engine *e, int blank, float score, pleura_gate tag_reason)
{
    if (tag_reason && e->mask) return tag_reason; /* third-party classifiers may target other body parts */
    if (blank) return PLEURA_BLANK;
    if (e->film.chroma > e->settings.max_chroma) return PLEURA_COLOUR;
    if (!has_two_lungs(&e->lungs, &e->settings)) return PLEURA_NO_LUNGS;
    return score < e->settings.min_score ? PLEURA_UNLIKE : PLEURA_ACCEPTED;
}
