/* model.c - what the weights say: settings, labels, both networks, the input and the prior.
 *
 * Nothing about a model is compiled in. All of it is read from the GGUF file, from keys that begin with "pleura.", and
 * checked here once. PLEURA_MODEL_DAMAGED means that a value cannot be right, PLEURA_MODEL_UNSUPPORTED that this engine
 * does not know such a network. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "engine/engine.h"

/* Every prevalence is divided by the prior, so a prior has to be far from 0. */
#define MIN_PRIOR 1e-6

/* A number under a key, at an index of its array: `fallback` if absent, an error outside min..max. */
typedef struct {
    const char *key;
    uint64_t index;
    double min, max, fallback;
    size_t offset; /* in settings */
} setting;

static const setting SETTINGS[] = {
    {"pleura.temperature", 0, 1e-3, 1e3, 1, offsetof(settings, temperature)},
    {"pleura.threshold.certain", 0, 0, 1, 0, offsetof(settings, certain)},
    {"pleura.lungs.margin", 0, 0, 1, 0, offsetof(settings, margin)},
    {"pleura.diagnosis.blur", 0, 0, 16, 0, offsetof(settings, blur)},
    {"pleura.diagnosis.grow", 0, 0, 16, 0, offsetof(settings, grow)},
    {"pleura.diagnosis.contrast", 0, 0, 16, 0, offsetof(settings, contrast)},
    {"pleura.opacity.threshold", 0, 0, 1, 0.5, offsetof(settings, min_opacity)},
    {"pleura.labels.other", 0, -1, MAX_LABELS - 1, -1, offsetof(settings, other)},
    {"pleura.gate.min_score", 0, 0, 1, 0, offsetof(settings, min_score)},
    {"pleura.gate.area", 0, 0, 1, 0, offsetof(settings, min_area)},
    {"pleura.gate.area", 1, 0, 1, 1, offsetof(settings, max_area)},
    {"pleura.gate.balance", 0, 0, 1, 0, offsetof(settings, min_balance)},
    {"pleura.gate.doubt", 0, 0, 1e6, 1e6, offsetof(settings, max_doubt)},
    {"pleura.gate.chroma", 0, 0, 1, 1, offsetof(settings, max_chroma)},
};

static pleura_status read_number(float *out, const gguf *g, const setting *s)
{
    double v = s->fallback;
    gguf_number(&v, g, s->key, s->index);
    if (!(v >= s->min && v <= s->max)) return PLEURA_MODEL_DAMAGED;
    *out = (float)v;
    return PLEURA_OK;
}

/* An array of exactly count numbers. */
static pleura_status read_numbers(float *out, uint64_t count, const gguf *g, setting s)
{
    s.fallback = NAN; /* an element that is not a number is an error */
    if (gguf_count(g, s.key) != count) return PLEURA_MODEL_DAMAGED;
    pleura_status status = PLEURA_OK;
    for (s.index = 0; !status && s.index < count; s.index++) status = read_number(out + s.index, g, &s);
    return status;
}

static pleura_status read_settings(settings *out, const gguf *g)
{
    pleura_status status = PLEURA_OK;
    for (size_t i = 0; !status && i < sizeof SETTINGS / sizeof *SETTINGS; i++)
        status = read_number((float *)((char *)out + SETTINGS[i].offset), g, SETTINGS + i);
    return status;
}

static pleura_status read_prior(pleura_engine *e)
{
    if (gguf_count(&e->weights, "pleura.prior") == 0) return PLEURA_OK;
    setting prior = {.key = "pleura.prior", .min = MIN_PRIOR, .max = 1};
    pleura_status status = read_numbers(e->prior, (uint64_t)e->label_count, &e->weights, prior);
    if (status) return status;
    return is_distribution(e->prior, e->label_count) ? PLEURA_OK : PLEURA_MODEL_DAMAGED;
}

/* One logit for each part of the crop, from which the heatmap is drawn. */
static pleura_status read_opacity(pleura_engine *e)
{
    const net_layer *opacity = e->opacity = net_find(&e->net, "opacity");
    return opacity && (opacity->d->c != 1 || net_is_int8(opacity)) ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

static int is_grey_square(const net *n) { return n->descs->c == 1 && n->descs->h == n->descs->w; }

/* A third-party classifier has pleura.input.scale and pleura.input.offset, one number per channel. Any other network
 * sees one grey plane, normalised by Pleura. */
static pleura_status read_input(pleura_engine *e)
{
    const gguf *g = &e->weights;
    uint64_t channels = (uint64_t)e->net.descs->c;
    e->scaled_input = !e->mask && gguf_count(g, "pleura.input.scale") > 0;
    if (!e->scaled_input) return is_grey_square(&e->net) ? PLEURA_OK : PLEURA_MODEL_UNSUPPORTED;
    if (channels > MAX_CHANNELS) return PLEURA_MODEL_UNSUPPORTED;
    setting scale = {.key = "pleura.input.scale", .min = -1e6, .max = 1e6}, offset = scale;
    offset.key = "pleura.input.offset";
    pleura_status status = read_numbers(e->input_scale, channels, g, scale);
    return status ? status : read_numbers(e->input_offset, channels, g, offset);
}

/* The layer `gate` of a network with the quantiles under the key; a network without that layer has no gate. */
static pleura_status read_gate(ood_gate *out, net *n, const gguf *g, const char *key)
{
    out->layer = net_find(n, "gate");
    if (!out->layer) return PLEURA_OK;
    if (net_is_int8(out->layer)) return PLEURA_MODEL_DAMAGED;
    return read_numbers(out->quantiles, QUANTILES, g, (setting){.key = key, .min = -INFINITY, .max = INFINITY});
}

static pleura_status read_labels(pleura_engine *e)
{
    text kind;
    if (!gguf_text(&kind, &e->weights, "general.architecture", 0) || kind.size != 6 ||
        memcmp(kind.at, "pleura", 6) != 0)
        return PLEURA_MODEL_UNSUPPORTED;
    uint64_t labels = gguf_count(&e->weights, "pleura.labels");
    if (labels < 1 || labels > MAX_LABELS) return PLEURA_MODEL_DAMAGED;
    e->label_count = (int)labels;
    return e->settings.other < (float)labels ? PLEURA_OK : PLEURA_MODEL_DAMAGED;
}

/* The layer that the class activation map is made of. Only logits that are a dense layer over the mean of the layer
 * `features` have such a map; NULL for any other network. */
static const net_layer *find_features(net *n, const net_layer *logits)
{
    const net_layer *features = net_find(n, "features"), *pool = net_source(n, logits, 0);
    if (!features || net_is_int8(features) || pool->d->op != OP_GLOBAL_AVGPOOL) return NULL;
    return net_source(n, pool, 0) == features ? features : NULL;
}

static pleura_status read_diagnosis(pleura_engine *e)
{
    static const char *const keep[] = {"features", "logits", "gate", "opacity", NULL};
    pleura_status status = net_parse(&e->net, &e->weights, "diagnosis", keep);
    if (status) return status;
    const net_layer *logits = e->logits = net_find(&e->net, "logits");
    if (!logits || logits->d->op != OP_DENSE || logits->d->c != e->label_count || net_is_int8(logits))
        return PLEURA_MODEL_DAMAGED;
    e->features = find_features(&e->net, logits);
    status = read_opacity(e);
    if (status) return status;
    if (e->settings.contrast > 0 && e->net.descs->h % LOCAL_CELL != 0) return PLEURA_MODEL_UNSUPPORTED;
    return read_gate(&e->gate, &e->net, &e->weights, "pleura.gate.diagnosis.quantiles");
}

static pleura_status read_lungs(pleura_engine *e)
{
    static const char *const keep[] = {"mask", "gate", "pose", NULL};
    if (gguf_count(&e->weights, "pleura.lungs.graph") == 0) return PLEURA_OK;
    pleura_status status = net_parse(&e->lungs_net, &e->weights, "lungs", keep);
    if (status) return status;
    if (!is_grey_square(&e->lungs_net)) return PLEURA_MODEL_UNSUPPORTED;
    const net_layer *mask = e->mask = net_find(&e->lungs_net, "mask");
    int side = e->lungs_net.descs->h;
    if (!mask || mask->d->h != side || mask->d->w != side || mask->d->c != 1 || net_is_int8(mask))
        return PLEURA_MODEL_DAMAGED;
    const net_layer *pose = e->pose = net_find(&e->lungs_net, "pose");
    if (pose && (pose->d->op != OP_DENSE || pose->d->c != POSE_OUTPUTS || net_is_int8(pose)))
        return PLEURA_MODEL_DAMAGED;
    return read_gate(&e->lungs_gate, &e->lungs_net, &e->weights, "pleura.gate.lungs.quantiles");
}

pleura_status model_read(pleura_engine *e)
{
    pleura_status status = read_settings(&e->settings, &e->weights);
    if (!status) status = read_labels(e);
    if (!status) status = read_diagnosis(e);
    if (!status) status = read_lungs(e);
    if (!status) status = read_input(e);
    return status ? status : read_prior(e);
}
