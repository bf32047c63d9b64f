/* posterior.c - from logits to probabilities and a verdict.
 *
 * Probabilities hold for the class mix they were calibrated on, the prior. Where the classes have other shares, Bayes'
 * rule multiplies each probability by (new share / prior share) and normalises. That needs the logits alone, so a film
 * can be classified again at another prevalence without running its networks. */
#include <math.h>

#include "engine/engine.h"

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

/* Temperature scaling (Guo et al., 2017). The largest logit is subtracted so that the exponential cannot overflow; it
 * is that of the labels whose ratio is not 0, so that the sum is never 0. */
static void posterior(pleura_engine *e, const float *logits, const float *prior_ratio)
{
    float max = -INFINITY, sum = 0;
    for (int i = 0; i < e->label_count; i++)
        if ((!prior_ratio || prior_ratio[i] > 0) && logits[i] > max) max = logits[i];
    for (int i = 0; i < e->label_count; i++) {
        float ratio = prior_ratio ? prior_ratio[i] : 1;
        e->probability[i] = ratio > 0 ? pleura_exp((logits[i] - max) / e->settings.temperature) * ratio : 0;
        sum += e->probability[i];
    }
    for (int i = 0; i < e->label_count; i++) e->probability[i] /= sum;
}

void posterior_classify(pleura_engine *e, pleura_result *r, const float *prior_ratio)
{
    posterior(e, r->logits, prior_ratio);
    int best = argmax(e->probability, e->label_count);
    int certain = e->probability[best] >= e->settings.certain; /* NaN is never certain */
    pleura_doubt doubt = !certain ? PLEURA_UNDECIDED : PLEURA_CERTAIN;
    if (best == (int)e->settings.other) doubt = PLEURA_OTHER_FINDING;
    r->label_count = e->label_count;
    r->probability = e->probability;
    r->verdict = r->gate ? PLEURA_REFUSED : doubt ? PLEURA_UNCERTAIN : best;
    r->doubt = r->gate ? PLEURA_CERTAIN : doubt;
}

void pleura_reclassify(pleura_engine *e, pleura_result *r)
{
    posterior_classify(e, r, e->prevalence_set ? e->prior_ratio : NULL);
}

pleura_status pleura_set_prevalence(pleura_engine *e, const float *shares, int count)
{
    if (shares && !(e->prior[0] > 0)) return PLEURA_NO_PRIOR;
    if (shares && (count != e->label_count || !is_distribution(shares, count))) return PLEURA_PREVALENCE;
    e->prevalence_set = shares != NULL;
    for (int i = 0; shares && i < count; i++) e->prior_ratio[i] = shares[i] / e->prior[i];
    return PLEURA_OK;
}
