/* gate.c - whether a film may be classified at all.
 *
 * A classifier answers any picture, so the gate refuses what it was not validated on: a file whose header names another
 * kind of image, a blank or coloured image, one without two lungs, and one whose features lie too far from those of the
 * training films. */
#include <math.h>

#include "engine/engine.h"

#define POSE_MARGIN 3.0f /* logits by which a pose must lead: odds of 20 */

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

const char *pleura_doubt_code(int doubt)
{
    switch (doubt) {
#define X(name, number, code, text) \
    case number: return code;
        PLEURA_DOUBT_LIST(X)
#undef X
    default: return "";
    }
}

const char *pleura_doubt_text(int doubt)
{
    switch (doubt) {
#define X(name, number, code, text) \
    case number: return text;
        PLEURA_DOUBT_LIST(X)
#undef X
    default: return "";
    }
}

void gate_pose(film_state *s, const pleura_engine *e)
{
    if (!e->pose) return;
    const float *logits = e->pose->out;
    int best = argmax(logits, POSE_INVERTED);
    if (best == POSE_NO_CHEST) return;
    float second = -INFINITY;
    for (int i = 0; i < POSE_INVERTED; i++)
        if (i != best && logits[i] > second) second = logits[i];
    s->quarter_turns = logits[best] - second > POSE_MARGIN ? best : 0;
    s->inverted = logits[POSE_INVERTED] > POSE_MARGIN;
}

static int has_two_lungs(const lungs *l, const settings *s)
{
    return l->area > 0 && l->area >= s->min_area && l->area <= s->max_area && l->balance >= s->min_balance &&
        l->doubt <= s->max_doubt;
}

pleura_gate gate_reason(const pleura_engine *e, const film_state *s, pleura_gate tag_reason)
{
    if (tag_reason && e->mask) return tag_reason; /* third-party classifiers may target other body parts */
    if (s->blank) return PLEURA_BLANK;
    if (e->film.chroma > e->settings.max_chroma) return PLEURA_COLOUR;
    if (s->quarter_turns) return PLEURA_TURNED;
    if (s->inverted) return PLEURA_INVERTED;
    if (!has_two_lungs(&e->lungs, &e->settings)) return PLEURA_NO_LUNGS;
    return s->score < e->settings.min_score ? PLEURA_UNLIKE : PLEURA_ACCEPTED;
}
