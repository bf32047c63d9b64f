/* pleura.c - the engine: opens weights, diagnoses films, tests itself.
 *
 * A diagnosis is one straight line. The lungs network finds the lungs. Their crop, normalised and masked (lungs.c), is
 * all that the diagnosis network sees, because whole frames teach a network hospitals instead of disease. Its logits
 * become probabilities (posterior.c), the gate decides whether they count (gate.c), and the class activation map shows
 * where the evidence lies (cam.c). Both networks run in the same memory, one after the other. */
#include "pleura.h"

#include <stdlib.h>
#include <string.h>

#include "engine/cam.h"
#include "engine/engine.h"
#include "image/phantom.h"

static size_t pixels_of(const net_layer *l) { return l ? (size_t)l->d->h * (size_t)l->d->w : 0; }

/* Floats that a network needs besides its weights, while they load or while it runs. */
static uint64_t transient(const net *n)
{
    uint64_t run = (uint64_t)n->activations + n->workspace;
    return run > n->staging ? run : n->staging;
}

/* Reserves one arena: what lives as long as the engine, then the memory in which the networks take turns. */
static pleura_status reserve_memory(pleura_engine *e)
{
    int side = e->mask ? e->mask->d->h : WHOLE_FILM_SIDE;
    size_t map = (size_t)side * (size_t)side, crop = pixels_of(e->net.layers), cam = pixels_of(e->features);
    uint64_t weights = (uint64_t)e->lungs_net.weights + e->net.weights;
    uint64_t first = transient(&e->lungs_net), second = transient(&e->net);
    /* Mask and heatmap take one map each, lungs_workspace takes two. */
    uint64_t floats = 4 * map + crop + cam + weights + (first > second ? first : second);
    uint64_t alignment = 16 * (4 * (uint64_t)GRAPH_MAX_LAYERS + 16);
    uint64_t size = (floats * sizeof(float) + alignment + 15) / 16 * 16;
    if (size > SIZE_MAX / 2) return PLEURA_MEMORY;
    arena *a = &e->memory;
    *a = (arena){aligned_alloc(16, (size_t)size), (size_t)size, 0};
    if (!a->base) return PLEURA_MEMORY;
    e->lungs = (lungs){.mask = arena_take(a, map, sizeof(float)), .side = side};
    e->heatmap = arena_take(a, map, sizeof(float));
    e->lungs_workspace = arena_take(a, 2 * map, sizeof(int));
    e->crop_mask = arena_take(a, crop, sizeof(float));
    e->cam = arena_take(a, cam, sizeof(float));
    return e->lungs.mask && e->heatmap && e->lungs_workspace && e->crop_mask && e->cam ? PLEURA_OK : PLEURA_MEMORY;
}

static pleura_status load_nets(pleura_engine *e)
{
    arena *a = &e->memory;
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
    if (!status) status = reserve_memory(e);
    if (!status) status = load_nets(e);
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

/* Fills the input of a third-party classifier: the greys of the whole film, 0..255, scaled and shifted per channel.
 * Returns 0 if the film is blank. */
static int fill_scaled(pleura_engine *e, float *input)
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

int engine_prepare(pleura_engine *e, float *score)
{
    float *input = net_input(&e->net);
    int side = e->net.descs->h;
    *score = 1;
    if (!e->mask) {
        lungs_whole_film(&e->lungs);
        return e->scaled_input ? fill_scaled(e, input) : film_input(input, side, &e->film);
    }
    int visible = film_input(net_input(&e->lungs_net), e->lungs.side, &e->film);
    net_run(&e->lungs_net, &e->kernels);
    lungs_find(&e->lungs, e->mask->out, e->mask->d->c_stride, e->lungs_workspace);
    *score = gate_percentile(&e->lungs_gate);
    crop_settings crop = {side, e->settings.margin, (int)e->settings.blur};
    lungs_input(input, e->crop_mask, &crop, &e->film, &e->lungs);
    for (int i = 0; i < side * side; i++) input[i] *= e->crop_mask[i];
    return visible;
}

/* FNV-1a, 64 bits (Fowler, Noll and Vo), continued from hash. */
static uint64_t hash_floats(uint64_t hash, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t v = 0x7fc00000; /* one fixed pattern for NaN, whose payload differs between machines */
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

static void draw_heatmap(pleura_engine *e, int label)
{
    float box[4];
    lungs_box(box, e->settings.margin, &e->lungs);
    if (e->features) cam_map(e->cam, e->features, e->logits, label);
    cam_heatmap(e->heatmap, e->cam, e->features, box, &e->lungs);
}

/* Diagnoses *f, which the engine then owns; tag_reason is what its file says against it. */
static void diagnose(pleura_engine *e, pleura_result *out, const film *f, pleura_gate tag_reason)
{
    float score;
    film_free(&e->film);
    e->film = *f;
    int blank = !engine_prepare(e, &score);
    net_run(&e->net, &e->kernels);
    memcpy(e->scores, e->logits->out, (size_t)e->label_count * sizeof *e->scores);
    int top_label = argmax(e->scores, e->label_count);
    float percentile = gate_percentile(&e->gate);
    if (percentile < score) score = percentile;
    draw_heatmap(e, top_label);
    pleura_gate gate = gate_reason(e, blank, score, tag_reason);
    *out = (pleura_result){.logits = e->scores,
                           .gate = gate,
                           .gate_score = gate && gate != PLEURA_UNLIKE ? 0 : score,
                           .width = f->width,
                           .height = f->height,
                           .map_side = e->lungs.side,
                           .top_label = top_label,
                           .lungs = e->lungs.mask,
                           .heatmap = e->heatmap};
    posterior_classify(e, out, NULL); /* the bits are those of the weights' own prior */
    out->bits = hash_result(out);
    if (e->prevalence_set) pleura_reclassify(e, out);
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
    film_free(&e->film); /* the phantom is not the caller's film */
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
