/* model.c - what the weights say: labels, settings, the prior, the input and the two networks. */
#include <string.h>

#include "engine/engine.h"

static const double LEAST_PRIOR = 1e-6; /* keeps what is divided by it far from overflow */

/* A number from the weights within least..most, or `otherwise` when it is not there; 0 when it is out of range. */
static int read_setting(float *out, const gguf *g, const char *key, uint64_t index, double least, double most,
                        double otherwise)
{
    double v = otherwise;
    gguf_number(&v, g, key, index);
    *out = (float)v;
    return v >= least && v <= most;
}

static pleura_status read_settings(pleura_engine *e)
{
    const gguf *g = &e->weights;
    float blur = 0;
    int good = read_setting(&e->temperature, g, "pleura.temperature", 0, 1e-3, 1e3, 1) &&
        read_setting(&e->certain, g, "pleura.threshold.certain", 0, 0, 1, 0) &&
        read_setting(&e->margin, g, "pleura.lungs.margin", 0, 0, 1, 0) &&
        read_setting(&blur, g, "pleura.diagnosis.blur", 0, 0, 16, 0) &&
        read_setting(&e->gate_least, g, "pleura.gate.min_score", 0, 0, 1, 0) &&
        read_setting(&e->area_least, g, "pleura.gate.area", 0, 0, 1, 0) &&
        read_setting(&e->area_most, g, "pleura.gate.area", 1, 0, 1, 1) &&
        read_setting(&e->balance_least, g, "pleura.gate.balance", 0, 0, 1, 0) &&
        read_setting(&e->doubt_most, g, "pleura.gate.doubt", 0, 0, 1e6, 1e6) &&
        read_setting(&e->chroma_most, g, "pleura.gate.chroma", 0, 0, 1, 1);
    if (!good) return PLEURA_MODEL_DAMAGED;
    e->blur = (int)blur;
    return PLEURA_OK;
}

static pleura_status read_prior(pleura_engine *e)
{
    const gguf *g = &e->weights;
    uint64_t count = gguf_count(g, "pleura.prior");
    if (count == 0) return PLEURA_OK;
    if (count != (uint64_t)e->label_count) return PLEURA_MODEL_DAMAGED;
    for (uint64_t i = 0; i < count; i++)
        if (!read_setting(e->prior + i, g, "pleura.prior", i, LEAST_PRIOR, 1, 0)) return PLEURA_MODEL_DAMAGED;
    return is_distribution(e->prior, e->label_count) ? PLEURA_OK : PLEURA_MODEL_DAMAGED;
}

static int is_grey_square(const net *n) { return n->descs->c == 1 && n->descs->h == n->descs->w; }

/* A classifier from elsewhere sees the whole film, channel i being grey (0..255) * scale[i] + offset[i]. Without these
 * keys a net sees one plane in the robust range. */
static pleura_status read_input(pleura_engine *e)
{
    const gguf *g = &e->weights;
    uint64_t channels = (uint64_t)e->net.descs->c;
    e->plain_greys = gguf_count(g, "pleura.input.scale") > 0;
    if (!e->plain_greys || e->mask) return is_grey_square(&e->net) ? PLEURA_OK : PLEURA_MODEL_UNSUPPORTED;
    if (channels > MAX_CHANNELS) return PLEURA_MODEL_UNSUPPORTED;
    if (gguf_count(g, "pleura.input.scale") != channels || gguf_count(g, "pleura.input.offset") != channels)
        return PLEURA_MODEL_DAMAGED;
    for (uint64_t i = 0; i < channels; i++)
        if (!read_setting(e->input_scale + i, g, "pleura.input.scale", i, -1e6, 1e6, 0) ||
            !read_setting(e->input_offset + i, g, "pleura.input.offset", i, -1e6, 1e6, 0))
            return PLEURA_MODEL_DAMAGED;
    return PLEURA_OK;
}

/* A gate is a layer with the quantiles that gate_score needs; a net without one passes. */
static int read_quantiles(float *out, const net_layer *gate, const gguf *g, const char *key)
{
    double v;
    if (!gate) return 1;
    if (gguf_count(g, key) != QUANTILES) return 0;
    for (uint64_t i = 0; i < QUANTILES; i++) {
        if (!gguf_number(&v, g, key, i)) return 0;
        out[i] = (float)v;
    }
    return 1;
}

static pleura_status parse_nets(pleura_engine *e)
{
    static const char *const lungs_keep[] = {"mask", "gate", NULL},
                             *const keep[] = {"features", "logits", "gate", NULL};
    const gguf *g = &e->weights;
    text kind;
    if (!gguf_text(&kind, g, "general.architecture", 0) || kind.size != 6 || memcmp(kind.at, "pleura", 6) != 0)
        return PLEURA_MODEL_UNSUPPORTED;
    uint64_t labels = gguf_count(g, "pleura.labels");
    if (labels < 1 || labels > MAX_LABELS) return PLEURA_MODEL_DAMAGED;
    e->label_count = (int)labels;
    pleura_status status = net_parse(&e->net, g, "diagnosis", keep);
    if (status) return status;
    e->features = net_find(&e->net, "features");
    e->logits = net_find(&e->net, "logits");
    e->gate = net_find(&e->net, "gate");
    if (!e->logits || e->logits->d->op != OP_DENSE || e->logits->d->c != e->label_count || net_is_int8(e->logits) ||
        (e->gate && net_is_int8(e->gate)))
        return PLEURA_MODEL_DAMAGED;
    const net_layer *pool = e->net.layers + e->logits->d->inputs[0];
    if (pool->d->op != OP_GLOBAL_AVGPOOL || e->net.layers + pool->d->inputs[0] != e->features ||
        net_is_int8(e->features))
        e->features = NULL;
    if (!read_quantiles(e->quantiles, e->gate, g, "pleura.gate.diagnosis.quantiles")) return PLEURA_MODEL_DAMAGED;
    if (gguf_count(g, "pleura.lungs.graph") == 0) return read_input(e);
    status = net_parse(&e->lungs_net, g, "lungs", lungs_keep);
    if (status) return status;
    e->mask = net_find(&e->lungs_net, "mask");
    e->lungs_gate = net_find(&e->lungs_net, "gate");
    if (!is_grey_square(&e->lungs_net)) return PLEURA_MODEL_UNSUPPORTED;
    int side = e->lungs_net.descs->h;
    if (!e->mask || e->mask->d->h != side || e->mask->d->w != side || e->mask->d->c != 1 || net_is_int8(e->mask))
        return PLEURA_MODEL_DAMAGED;
    if (e->lungs_gate && net_is_int8(e->lungs_gate)) return PLEURA_MODEL_DAMAGED;
    if (!read_quantiles(e->lungs_quantiles, e->lungs_gate, g, "pleura.gate.lungs.quantiles"))
        return PLEURA_MODEL_DAMAGED;
    return read_input(e);
}

pleura_status model_read(pleura_engine *e)
{
    pleura_status status = read_settings(e);
    if (!status) status = parse_nets(e);
    return status ? status : read_prior(e);
}
