/* posterior.c - from logits to probabilities and a verdict, at the prevalence in force. */
#include <math.h>

#include "engine/engine.h"

/* Whether the shares are a whole; NaN is none. */
int is_distribution(const float *shares, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        if (!(shares[i] >= 0)) return 0;
        sum += (double)shares[i];
    }
    return fabs(sum - 1) <= 1e-3;
}

int argmax(const float *values, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (values[i] > values[best]) best = i;
    return best;
}

/* Probabilities at the temperature (Guo et al., 2017), times the odds, or 1 where they are NULL, then normalised.
 * Measured from the largest logit among the labels that occur at all, so that the sum is never 0. */
void posterior(float *probability, const float *logits, const float *odds, const pleura_engine *e)
{
    float most = -INFINITY, sum = 0;
    for (int i = 0; i < e->label_count; i++)
        if ((!odds || odds[i] > 0) && logits[i] > most) most = logits[i];
    for (int i = 0; i < e->label_count; i++) {
        float times = odds ? odds[i] : 1;
        probability[i] = times > 0 ? pleura_exp((logits[i] - most) / e->temperature) * times : 0;
        sum += probability[i];
    }
    for (int i = 0; i < e->label_count; i++) probability[i] /= sum;
}

pleura_status pleura_set_prevalence(pleura_engine *e, const float *shares, int count)
{
    if (shares && !(e->prior[0] > 0)) return PLEURA_NO_PRIOR;
    if (shares && (count != e->label_count || !is_distribution(shares, count))) return PLEURA_PREVALENCE;
    e->moved = shares != NULL;
    for (int i = 0; shares && i < count; i++) e->odds[i] = shares[i] / e->prior[i];
    return PLEURA_OK;
}

void pleura_reclassify(pleura_engine *e, pleura_result *r)
{
    int n = e->label_count;
    float *probability = e->scores + n;
    posterior(probability, r->logits, e->moved ? e->odds : NULL, e);
    int best = argmax(probability, n);
    r->verdict = r->gate                  ? PLEURA_REFUSED
        : probability[best] >= e->certain ? best
                                          : PLEURA_UNCERTAIN; /* no number is not certain */
    r->label_count = n;
    r->probability = probability;
}
