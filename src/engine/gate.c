/* gate.c - whether a film may be answered at all, and the words for why not. */
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

/* Share of good validation films that lie farther out than the whitened features of the gate: its length against the
 * quantiles 0..100 % of that length. */
float gate_percentile(const net_layer *gate, const float *quantiles)
{
    float squares = 0;
    for (int i = 0; i < gate->d->c; i++) squares += gate->out[i] * gate->out[i];
    float distance = sqrtf(squares);
    for (int i = 0; i + 1 < QUANTILES; i++) {
        float low = quantiles[i], high = quantiles[i + 1];
        if (!(distance < high)) continue; /* nor is what is no number familiar */
        float within = distance > low ? (distance - low) / (high - low) : 0;
        return 1 - ((float)i + within) / (QUANTILES - 1);
    }
    return 0;
}

pleura_gate gate_reason(const pleura_engine *e, int seen, float score, pleura_gate told)
{
    const lungs *l = &e->lungs;
    if (told && e->mask) return told; /* a classifier from elsewhere may be made for hands */
    if (!seen) return PLEURA_BLANK;
    if (e->film.chroma > e->chroma_most) return PLEURA_COLOUR;
    if (l->area <= 0 || l->area < e->area_least || l->area > e->area_most || l->balance < e->balance_least ||
        l->doubt > e->doubt_most)
        return PLEURA_NO_LUNGS;
    return score < e->gate_least ? PLEURA_UNLIKE : PLEURA_ACCEPTED;
}
