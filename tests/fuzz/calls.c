/* calls.c - fuzzes the exports of the wasm: any calls in any order with any numbers.
 *
 * engine.mjs promises one thing alone: an input is as large as its caller says. Each call is read from the fuzzer's
 * bytes: an operation, its numbers, then what fills its input. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wattributes" /* only WebAssembly knows export_name */
#include "engine/wasm.c"
#include "../support/read_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum {
    DIAGNOSE,
    RGBA,
    SAMPLES,
    PREVALENCE,
    JUDGE,
    VIEW,
    GREYS,
    LOOK_UP,
    LAYER,
    PREPARE,
    CHECK_SIZE,
    JPEG,
    NAMES,
    OPERATIONS
};
enum {
    LABELS = 3,          /* of tests/fixtures/tiny.gguf */
    MAX_PIXELS = 1 << 16 /* larger films take the same path, only longer */
};

typedef struct {
    const uint8_t *at;
    size_t left;
} reader;

/* The next size bytes; zeros after the end. */
static void take(reader *r, void *out, size_t size)
{
    size_t n = size < r->left ? size : r->left;
    memset(out, 0, size), memcpy(out, r->at, n);
    r->at += n, r->left -= n;
}

/* Mostly a plausible size of a film, sometimes any number. */
static int take_size(reader *r)
{
    struct {
        uint8_t kind;
        int32_t any;
    } v = {0, 0};
    take(r, &v.kind, 1);
    if (v.kind < 240) return 60 + v.kind;
    take(r, &v.any, 4);
    return v.any;
}

/* An input of this size: the next `period` bytes, repeated. */
static void fill_input(reader *r, size_t size, size_t period)
{
    uint8_t *to = input(size);
    assert(to);
    if (period > size) period = size;
    take(r, to, period);
    for (size_t i = period; i < size; i++) to[i] = to[i - period];
}

/* How many pixels the caller must provide: 0 if the size is refused, -1 if they would take too long. */
static int64_t pixels_of(int w, int h)
{
    if (image_check_size(w, h)) return 0;
    return (int64_t)w * h > MAX_PIXELS ? -1 : (int64_t)w * h;
}

static void check_result(int status)
{
    if (status) return;
    double sum = 0;
    assert(self->result.label_count == LABELS);
    for (int i = 0; i < LABELS; i++) {
        assert(isfinite(logits()[i]) && probability()[i] >= 0);
        sum += (double)probability()[i];
    }
    assert(fabs(sum - 1) < 1e-3 && verdict() >= PLEURA_REFUSED && verdict() < LABELS &&
           (verdict() == PLEURA_REFUSED) == (gate() != 0));
    assert(evidence() >= 0 && evidence() < LABELS && gate_score() >= 0 && gate_score() <= 1);
    for (int i = 0; i < map_side() * map_side(); i++)
        assert(lungs_map()[i] >= 0 && lungs_map()[i] <= 1 && heatmap()[i] >= 0 && heatmap()[i] <= 1);
}

static void diagnose_pixels(reader *r, int operation)
{
    int w = take_size(r), h = take_size(r);
    uint8_t channels = 1;
    int32_t tag_reason = 0;
    int64_t count = pixels_of(w, h);
    if (operation == SAMPLES) take(r, &channels, 1), take(r, &tag_reason, 4);
    if (count < 0) return;
    if (operation == RGBA) fill_input(r, (size_t)count * 4, 400);
    else fill_input(r, 65536 * 2 + (size_t)count * channels * 2, 65536 * 2 + 400);
    check_result(operation == RGBA ? diagnose_rgba(w, h) : diagnose_samples(w, h, channels, tag_reason));
}

static void change_prevalence(reader *r)
{
    int8_t count;
    take(r, &count, 1);
    fill_input(r, count > 0 ? (size_t)count * 4 : 0, 256);
    set_prevalence(count);
}

static void judge_logits(reader *r)
{
    int32_t tag_reason;
    take(r, &tag_reason, 4);
    fill_input(r, LABELS * 4, LABELS * 4);
    judge(tag_reason);
    assert(verdict() >= PLEURA_REFUSED && verdict() < LABELS);
}

/* Reads every pixel of a view. */
static void look_at_film(reader *r, int operation)
{
    int w = take_size(r), h = take_size(r);
    uint64_t sum = 0;
    if ((int64_t)w * h > MAX_PIXELS) return;
    int present = has_film();
    const uint8_t *grey = operation == VIEW ? view(w, h) : NULL;
    const uint16_t *wide = operation == GREYS ? greys(w, h) : NULL;
    assert((grey || wide) == (view_status() == PLEURA_OK));
    assert((view_status() == PLEURA_NO_FILM) == (!present && w > 0 && h > 0));
    for (int i = 0; grey && i < w * h; i++) sum += grey[i];
    for (int i = 0; wide && i < w * h; i++) sum += wide[i];
    assert(sum <= (uint64_t)MAX_PIXELS * 65535 && greys_low() <= greys_high());
}

static void look_up(reader *r)
{
    uint32_t index;
    take(r, &index, 4);
    fill_input(r, 40, 39);
    ((char *)self->buffer)[39] = 0;
    const char *at = text(index);
    if (at) assert(!text_size() || at[text_size() - 1] != 1);
    number(index);
}

static void look_at_layer(reader *r)
{
    struct {
        int32_t graph, number;
    } v;
    take(r, &v, sizeof v);
    if (!layer(v.graph, v.number)) return;
    run_layer(v.graph, v.number);
    assert(layer_h() > 0 && layer_w() > 0 && layer_c() > 0 && layer_lanes() >= layer_c() && layer_out() &&
           layer_name_size());
}

/* An input that is a file: some of the next bytes. */
static size_t fill_file(reader *r)
{
    uint16_t size;
    take(r, &size, 2);
    size_t n = size < r->left ? size : r->left;
    fill_input(r, n, n);
    return n;
}

static void check_sizes(reader *r)
{
    double v[2];
    take(r, v, sizeof v);
    int status = check_size(v[0], v[1]),
        fits = v[0] >= IMAGE_MIN_SIDE && v[0] <= IMAGE_MAX_SIDE && v[1] >= IMAGE_MIN_SIDE && v[1] <= IMAGE_MAX_SIDE;
    assert(fits || status);
}

static void decode(reader *r)
{
    if (decode_jpeg(fill_file(r)) == PLEURA_OK)
        assert(jpeg_values() && jpeg_width() > 0 && jpeg_height() > 0 && jpeg_channels() > 0 && jpeg_bits() > 1);
    if (r->left & 1) end_jpeg();
}

static void name(reader *r)
{
    int8_t v;
    take(r, &v, 1);
    assert(strlen(status_code(v)) && strlen(status_text(v)) && gate_code(v) && gate_text(v));
}

static void call(reader *r, int operation)
{
    int32_t graph;
    switch (operation) {
    case DIAGNOSE: check_result(diagnose(fill_file(r))); break;
    case RGBA:
    case SAMPLES: diagnose_pixels(r, operation); break;
    case PREVALENCE: change_prevalence(r); break;
    case JUDGE: judge_logits(r); break;
    case VIEW:
    case GREYS: look_at_film(r, operation); break;
    case LOOK_UP: look_up(r); break;
    case LAYER: look_at_layer(r); break;
    case PREPARE: take(r, &graph, 4), prepare(graph, fill_file(r)); break;
    case CHECK_SIZE: check_sizes(r); break;
    case JPEG: decode(r); break;
    default: name(r);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { MAX_CALLS = 24 };
    static uint8_t *model;
    static size_t model_size;
    if (!model) model = read_file("tests/fixtures/tiny.gguf", &model_size);
    memcpy(input(model_size), model, model_size);
    assert(load(model_size, 0, 1) == PLEURA_OK);
    assert(!has_film() && !view(1, 1) && view_status() == PLEURA_NO_FILM);
    reader r = {bytes, size};
    for (int i = 0; r.left && i < MAX_CALLS; i++) {
        uint8_t operation;
        take(&r, &operation, 1);
        call(&r, operation % OPERATIONS);
    }
    /* Leave nothing to the next instance. */
    pleura_close(self->engine), free_input(), end_jpeg(), free(self->weights), free(self->view_pixels);
    *self = (instance){0};
    return 0;
}
