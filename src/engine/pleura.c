/* pleura.c - the engine: opens weights, diagnoses films, tests itself.
 *
 * A diagnosis is one straight line. The lungs network finds the lungs. Their crop, normalised and masked (lungs.c), is
 * all that the diagnosis network sees, because whole frames teach a network hospitals instead of disease. Its logits
 * become probabilities (posterior.c), the gate decides whether they count (gate.c), and a heatmap shows where the
 * evidence lies (heatmap.c). Both networks run in the same memory, one after the other. */
#include "pleura.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/heatmap.h"
#include "image/phantom.h"
#include "nn/fastest.h"

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
    size_t map = (size_t)side * (size_t)side, crop = pixels_of(e->net.layers);
    size_t of_opacity = pixels_of(e->opacity), cells = pixels_of(e->features);
    if (of_opacity > cells) cells = of_opacity;
    size_t local = 5 * crop / (LOCAL_CELL * LOCAL_CELL), work = local > 2 * map ? local : 2 * map;
    uint64_t weights = (uint64_t)e->lungs_net.weights + e->net.weights;
    uint64_t first = transient(&e->lungs_net), second = transient(&e->net);
    uint64_t floats = 2 * map + work + crop + cells + weights + (first > second ? first : second);
    uint64_t alignment = 16 * (4 * (uint64_t)GRAPH_MAX_LAYERS + 16);
    uint64_t size = (floats * sizeof(float) + alignment + 15) / 16 * 16;
    if (size > SIZE_MAX / 2) return PLEURA_MEMORY;
    arena *a = &e->memory;
    *a = (arena){aligned_alloc(16, (size_t)size), (size_t)size, 0};
    if (!a->base) return PLEURA_MEMORY;
    e->lungs = (lungs){.mask = arena_take(a, map, sizeof(float)), .side = side};
    e->heatmap = arena_take(a, map, sizeof(float));
    e->lungs_workspace = arena_take(a, work, sizeof(float));
    e->crop_mask = arena_take(a, crop, sizeof(float));
    e->cells = arena_take(a, cells, sizeof(float));
    return e->lungs.mask && e->heatmap && e->lungs_workspace && e->crop_mask && e->cells ? PLEURA_OK : PLEURA_MEMORY;
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
    e->kernels = kind == PLEURA_SIMD ? *kernels_fastest() : kernels_ref;
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

film_state engine_prepare(pleura_engine *e)
{
    float *input = net_input(&e->net);
    int side = e->net.descs->h;
    film_state state = {.score = 1};
    if (!e->mask) {
        lungs_whole_film(&e->lungs);
        state.blank = !(e->scaled_input ? fill_scaled(e, input) : film_input(input, side, &e->film));
        return state;
    }
    state.blank = !film_input(net_input(&e->lungs_net), e->lungs.side, &e->film);
    net_run(&e->lungs_net, &e->kernels);
    lungs_find(&e->lungs, e->mask->out, e->mask->d->c_stride, e->lungs_workspace);
    state.score = gate_percentile(&e->lungs_gate);
    gate_pose(&state, e);
    const settings *s = &e->settings;
    crop_settings crop = {side, s->margin, (int)s->blur, (int)s->grow, s->contrast};
    lungs_input(input, e->crop_mask, &crop, &e->film, &e->lungs, e->lungs_workspace);
    for (int i = 0; i < side * side; i++) input[i] *= e->crop_mask[i];
    return state;
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

/* Results without an opacity map hash as they did before there were such maps. */
static uint64_t hash_result(const pleura_result *r)
{
    size_t labels = (size_t)r->label_count, map = (size_t)r->map_side * (size_t)r->map_side;
    uint64_t hash = hash_floats(0xcbf29ce484222325, r->logits, labels);
    hash = hash_floats(hash, r->probability, labels);
    hash = hash_floats(hash, &r->gate_score, 1);
    hash = hash_floats(hash, r->lungs, map);
    hash = hash_floats(hash, r->heatmap, map);
    return r->map_kind == PLEURA_MAP_OPACITY ? hash_floats(hash, r->extent, 2) : hash;
}

/* Fills map[side][side] of the lungs with the class activation map of a label. */
static void draw_class_map(pleura_engine *e, float *map, int label)
{
    const layer_desc *d = e->features ? e->features->d : NULL;
    float box[4];
    lungs_box(box, e->settings.margin, &e->lungs);
    if (d) cells_of_label(e->cells, e->features, e->logits, label);
    heatmap_draw(map, d ? e->cells : NULL, d ? d->w : 0, d ? d->h : 0, 0, box, &e->lungs);
}

/* Draws the heatmap and fills what *r says about it. */
static void draw_heatmap(pleura_engine *e, pleura_result *r)
{
    r->extent[0] = r->extent[1] = -1;
    r->map_kind = e->opacity ? PLEURA_MAP_OPACITY : e->features ? PLEURA_MAP_CLASS : PLEURA_MAP_NONE;
    if (!e->opacity) {
        draw_class_map(e, e->heatmap, r->top_label);
        return;
    }
    float box[4];
    lungs_box(box, e->settings.margin, &e->lungs);
    cells_of_opacity(e->cells, e->opacity);
    heatmap_draw(e->heatmap, e->cells, e->opacity->d->w, e->opacity->d->h, 1, box, &e->lungs);
    heatmap_extent(r->extent, e->heatmap, e->settings.min_opacity, &e->lungs);
}

/* Diagnoses *f, which the engine then owns; tag_reason is what its file says against it. */
static void diagnose(pleura_engine *e, pleura_result *out, const film *f, pleura_gate tag_reason)
{
    film_free(&e->film);
    e->film = *f;
    film_state state = engine_prepare(e);
    net_run(&e->net, &e->kernels);
    memcpy(e->scores, e->logits->out, (size_t)e->label_count * sizeof *e->scores);
    float percentile = gate_percentile(&e->gate);
    if (percentile < state.score) state.score = percentile;
    pleura_gate gate = gate_reason(e, &state, tag_reason);
    *out = (pleura_result){.logits = e->scores,
                           .gate = gate,
                           .gate_score = gate && gate != PLEURA_UNLIKE ? 0 : state.score,
                           .width = f->width,
                           .height = f->height,
                           .map_side = e->lungs.side,
                           .top_label = argmax(e->scores, e->label_count),
                           .quarter_turns = state.quarter_turns,
                           .lungs = e->lungs.mask,
                           .heatmap = e->heatmap};
    draw_heatmap(e, out);
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

pleura_status pleura_class_map(pleura_engine *e, float *map, int label)
{
    if (!e->film.pixels) return PLEURA_NO_FILM;
    if (!e->features || label < 0 || label >= e->label_count) return PLEURA_NO_MAP;
    draw_class_map(e, map, label);
    return PLEURA_OK;
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
