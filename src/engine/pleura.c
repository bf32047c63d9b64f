/* pleura.c - the engine: weights to two nets in one arena; a film to lungs, logits, gate, verdict and heatmap. */
#include "pleura.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cam.h"
#include "engine/engine.h"
#include "image/phantom.h"

/* Takes everything that lives as long as the engine, then what one diagnosis needs: the two nets share their room. */
static pleura_status take_memory(pleura_engine *e)
{
    int side = e->mask ? e->mask->d->h : PLAIN_SIDE;
    size_t count = (size_t)side * (size_t)side, input = (size_t)e->net.descs->h * (size_t)e->net.descs->w;
    size_t map = e->features ? (size_t)e->features->d->h * (size_t)e->features->d->w : 0;
    uint64_t room_lungs = (uint64_t)e->lungs_net.activations + e->lungs_net.workspace;
    uint64_t room = (uint64_t)e->net.activations + e->net.workspace;
    uint64_t staging = e->net.staging > e->lungs_net.staging ? e->net.staging : e->lungs_net.staging;
    if (staging > room) room = staging;
    uint64_t floats = (uint64_t)e->lungs_net.weights + e->net.weights + 4 * count + input + map +
        (room > room_lungs ? room : room_lungs);
    uint64_t size = floats * sizeof(float) + 16 * (4 * (uint64_t)GRAPH_MAX_LAYERS + 16); /* what alignment may cost */
    if (size > SIZE_MAX / 2) return PLEURA_MEMORY;
    arena *a = &e->memory;
    *a = (arena){aligned_alloc(16, ((size_t)size + 15) / 16 * 16), ((size_t)size + 15) / 16 * 16, 0};
    if (!a->base) return PLEURA_MEMORY;
    e->lungs = (lungs){.mask = arena_take(a, count, sizeof(float)), .side = side};
    e->heatmap = arena_take(a, count, sizeof(float));
    e->scratch = arena_take(a, 2 * count, sizeof(int));
    e->crop_mask = arena_take(a, input, sizeof(float));
    e->map = arena_take(a, map, sizeof(float));
    if (!e->lungs.mask || !e->heatmap || !e->scratch || !e->crop_mask || !e->map) return PLEURA_MEMORY;
    pleura_status status = net_load(&e->net, &e->weights, a);
    if (!status && e->mask) status = net_load(&e->lungs_net, &e->weights, a);
    arena mark = *a;
    if (!status && e->mask) status = net_place(&e->lungs_net, a);
    *a = mark;
    return status ? status : net_place(&e->net, a);
}

pleura_status pleura_open(pleura_engine **out, const void *weights, size_t size, pleura_kernels kind)
{
    pleura_engine *e = calloc(1, sizeof *e);
    if (!e) return PLEURA_MEMORY;
    e->kernels = kind == PLEURA_SIMD ? kernels_simd : kernels_ref;
    e->int8 = *e->kernels.int8;
    e->kernels.int8 = &e->int8;
    pleura_status status = gguf_open(&e->weights, weights, size);
    if (!status) status = model_read(e);
    if (!status) status = take_memory(e);
    if (status) pleura_close(e);
    else *out = e;
    return status;
}

void pleura_close(pleura_engine *e)
{
    if (!e) return;
    film_free(&e->film);
    free(e->memory.base);
    free(e);
}

/* The whole film as a net from elsewhere wants it. Returns 0 for a blank film. */
static int fill_plain(pleura_engine *e, float *input)
{
    const layer_desc *image = e->net.descs;
    size_t pixels = (size_t)image->h * (size_t)image->w;
    float *grey = e->crop_mask, low, high;
    film_resample(grey, image->w, image->h, &e->film, NULL);
    for (size_t i = 0; i < pixels; i++)
        for (int c = 0; c < image->c; c++) *input++ = grey[i] / 257 * e->input_scale[c] + e->input_offset[c];
    robust_range(&low, &high, grey, pixels);
    return high - low >= FILM_BLANK_RANGE;
}

/* Fills the second net's input from the whole film, or from its lungs where there is a net that finds them. Lowers
 * *score to the first gate's. Returns 0 for a blank film. */
int engine_prepare(pleura_engine *e, float *score)
{
    float *input = net_input(&e->net);
    int side = e->net.descs->h;
    if (!e->mask) {
        for (int i = 0; i < e->lungs.side * e->lungs.side; i++) e->lungs.mask[i] = 1;
        e->lungs.area = e->lungs.balance = e->lungs.x1 = e->lungs.y1 = 1;
        e->lungs.doubt = 0;
        return e->plain_greys ? fill_plain(e, input) : film_input(input, side, &e->film);
    }
    int seen = film_input(net_input(&e->lungs_net), e->lungs.side, &e->film);
    net_run(&e->lungs_net, &e->kernels);
    lungs_find(&e->lungs, e->mask->out, e->mask->d->c_stride, e->scratch);
    if (e->lungs_gate) *score = gate_percentile(e->lungs_gate, e->lungs_quantiles);
    lungs_input(input, e->crop_mask, side, e->margin, e->blur, &e->film, &e->lungs);
    for (int i = 0; i < side * side; i++) input[i] *= e->crop_mask[i];
    return seen;
}

/* FNV-1a, 64 bits (Fowler, Noll and Vo), going on from hash. */
static uint64_t hash_floats(uint64_t hash, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t v = 0x7fc00000; /* of what is no number, which has other bits on other machines */
        if (values[i] == values[i]) memcpy(&v, values + i, sizeof v);
        for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ (v >> shift & 255)) * 0x100000001b3;
    }
    return hash;
}

static uint64_t hash_result(const pleura_result *r)
{
    size_t labels = (size_t)r->label_count, map = (size_t)r->map_side * (size_t)r->map_side;
    uint64_t hash = hash_floats(0xcbf29ce484222325, r->logits, labels);
    hash = hash_floats(hash, r->probability, labels);
    hash = hash_floats(hash, &r->gate_score, 1);
    hash = hash_floats(hash, r->lungs, map);
    return hash_floats(hash, r->heatmap, map);
}

/* Diagnoses *f, which becomes the engine's; `told` is what its file says of it. */
static void diagnose(pleura_engine *e, pleura_result *out, const film *f, pleura_gate told)
{
    float score = 1, box[4];
    film_free(&e->film);
    e->film = *f;
    int seen = engine_prepare(e, &score);
    net_run(&e->net, &e->kernels);
    int n = e->label_count, evidence = argmax(e->logits->out, n);
    memcpy(e->scores, e->logits->out, (size_t)n * sizeof *e->scores);
    posterior(e->scores + n, e->scores, NULL, e); /* for the bits */
    if (e->gate) {
        float own = gate_percentile(e->gate, e->quantiles);
        if (own < score) score = own;
    }
    memset(e->heatmap, 0, (size_t)e->lungs.side * (size_t)e->lungs.side * sizeof *e->heatmap);
    if (e->features) {
        lungs_box(box, e->margin, &e->lungs);
        cam_map(e->map, e->features, e->logits, evidence);
        cam_heatmap(e->heatmap, e->map, e->features->d->h, e->features->d->w, box, &e->lungs);
    }
    pleura_gate gate = gate_reason(e, seen, score, told);
    *out = (pleura_result){.label_count = n,
                           .logits = e->scores,
                           .probability = e->scores + n,
                           .gate = gate,
                           .gate_score = gate && gate != PLEURA_UNLIKE ? 0 : score,
                           .width = f->width,
                           .height = f->height,
                           .map_side = e->lungs.side,
                           .lungs = e->lungs.mask,
                           .top_label = evidence,
                           .heatmap = e->heatmap};
    out->bits = hash_result(out);
    pleura_reclassify(e, out);
}

pleura_status pleura_diagnose(pleura_engine *e, pleura_result *out, const void *file, size_t size)
{
    film f;
    pleura_status status = film_decode(&f, file, size);
    if (!status) diagnose(e, out, &f, PLEURA_ACCEPTED);
    return status;
}

pleura_status pleura_diagnose_rgba(pleura_engine *e, pleura_result *out, const void *rgba, int width, int height)
{
    film f;
    film_samples samples = {.bytes = rgba, .width = width, .height = height, .channels = 4};
    pleura_status status = film_from_samples(&f, &samples);
    if (!status) diagnose(e, out, &f, PLEURA_ACCEPTED);
    return status;
}

pleura_status pleura_diagnose_samples(pleura_engine *e, pleura_result *out, const pleura_samples *s)
{
    film f;
    if (s->channels != 1 && s->channels != 3) return PLEURA_IMAGE_UNSUPPORTED;
    film_samples samples = {s->values, NULL, s->width, s->height, s->channels, s->table};
    pleura_status status = film_from_samples(&f, &samples);
    if (!status) diagnose(e, out, &f, s->tag_reason);
    return status;
}

pleura_status pleura_diagnose_phantom(pleura_engine *e, pleura_result *out)
{
    film f;
    pleura_status status = phantom_draw(&f);
    if (!status) diagnose(e, out, &f, PLEURA_ACCEPTED);
    return status;
}

pleura_status pleura_self_test(pleura_engine *e)
{
    text expected;
    pleura_result r;
    if (!gguf_text(&expected, &e->weights, "pleura.selftest.bits", 0)) return PLEURA_OK;
    pleura_status status = pleura_diagnose_phantom(e, &r);
    film_free(&e->film); /* the caller has not diagnosed a film yet */
    if (status) return status;
    if (expected.size != 16) return PLEURA_MODEL_DAMAGED;
    for (int i = 0; i < 16; i++)
        if (expected.at[i] != "0123456789abcdef"[r.bits >> (60 - 4 * i) & 15]) return PLEURA_SELF_TEST;
    return PLEURA_OK;
}

int pleura_text(const pleura_engine *e, const char **at, size_t *size, const char *key, size_t index)
{
    text t;
    if (!gguf_text(&t, &e->weights, key, index)) return 0;
    *at = t.at, *size = t.size;
    return 1;
}

int pleura_number(const pleura_engine *e, double *out, const char *key, size_t index)
{
    return gguf_number(out, &e->weights, key, index);
}
