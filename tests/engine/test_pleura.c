/* test_pleura.c - the engine through pleura.h, and the parts of its wing: lungs, heatmaps, gate and posterior. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/heatmap.h"
#include "nn/gguf.h"
#include "engine/lungs.h"
#include "pleura.h"
#include "../support/read_file.h"

static void check_result(const pleura_result *r)
{
    float sum = 0;
    for (int i = 0; i < r->label_count; i++) sum += r->probability[i];
    assert(fabsf(sum - 1) < 1e-5f && r->gate_score >= 0 && r->gate_score <= 1);
    assert(r->verdict >= PLEURA_REFUSED && r->verdict < r->label_count);
    assert((r->verdict == PLEURA_REFUSED) == (r->gate != PLEURA_ACCEPTED));
    for (int i = 0; i < r->map_side * r->map_side; i++)
        assert(r->lungs[i] >= 0 && r->lungs[i] <= 1 && r->heatmap[i] >= 0 && r->heatmap[i] <= r->lungs[i]);
}

static void reference_and_simd_give_the_same_bits(const uint8_t *weights, size_t size)
{
    static const char *const paths[] = {"tests/fixtures/grey.jpg", "tests/fixtures/grey16.png",
                                        "tests/fixtures/corners.jpg"};
    pleura_engine *plain, *vector;
    pleura_result a, b;
    assert(pleura_open(&plain, weights, size, PLEURA_REFERENCE) == PLEURA_OK &&
           pleura_open(&vector, weights, size, PLEURA_SIMD) == PLEURA_OK);
    assert(pleura_diagnose_phantom(plain, &a) == PLEURA_OK && pleura_diagnose_phantom(vector, &b) == PLEURA_OK);
    check_result(&a);
    assert(a.bits == b.bits && a.width == 640 && a.height == 640);
    uint64_t phantom = a.bits;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t n;
        uint8_t *file = read_file(paths[i], &n);
        assert(pleura_diagnose(plain, &a, file, n) == PLEURA_OK && pleura_diagnose(vector, &b, file, n) == PLEURA_OK);
        check_result(&a);
        assert(a.bits == b.bits && a.bits != phantom);
        /* A failure leaves result and engine as they were. */
        pleura_result before = b;
        assert(pleura_diagnose(vector, &b, file, n - 1) == PLEURA_IMAGE_DAMAGED);
        assert(memcmp(&before, &b, sizeof b) == 0);
        free(file);
    }
    assert(pleura_diagnose_phantom(vector, &b) == PLEURA_OK && b.bits == phantom);
    pleura_close(plain), pleura_close(vector);
}

static void the_gate_refuses_blank_and_colour(const uint8_t *weights, size_t size)
{
    enum { SIDE = 100 };
    static uint8_t rgba[SIDE * SIDE * 4];
    pleura_engine *e;
    pleura_result r;
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK);
    uint8_t grey[49];
    memset(rgba, 77, sizeof rgba);
    assert(pleura_diagnose_rgba(e, &r, rgba, SIDE, SIDE) == PLEURA_OK);
    assert(r.verdict == PLEURA_REFUSED && r.gate == PLEURA_BLANK && r.gate_score == 0);
    assert(pleura_view(e, grey, 7, 7) == PLEURA_OK);
    for (int i = 0; i < 49; i++) assert(grey[i] == grey[0]); /* rounding errors are not stretched to stripes */
    for (int i = 0; i < SIDE * SIDE; i++) rgba[4 * i] = (uint8_t)i, rgba[4 * i + 1] = (uint8_t)(i >> 6);
    assert(pleura_diagnose_rgba(e, &r, rgba, SIDE, SIDE) == PLEURA_OK && r.gate == PLEURA_COLOUR);
    assert(strcmp(pleura_gate_code(r.gate), "colour") == 0 && strlen(pleura_gate_text(r.gate)) > 20);
    assert(pleura_diagnose_rgba(e, &r, rgba, 1, 1) == PLEURA_IMAGE_TOO_SMALL);
    assert(pleura_view(e, grey, 101, 1) == PLEURA_IMAGE_TOO_LARGE &&
           pleura_view(e, grey, 0, 1) == PLEURA_IMAGE_TOO_LARGE);
    assert(pleura_view(e, grey, 4, 4) == PLEURA_OK);
    uint16_t greys[16], range[2];
    assert(pleura_greys(e, greys, range, 101, 1) == PLEURA_IMAGE_TOO_LARGE &&
           pleura_greys(e, greys, range, 4, 4) == PLEURA_OK);
    for (int i = 0; i < 16; i++) {
        float v = range[1] > range[0] ? 255.f * ((float)greys[i] - range[0]) / (float)(range[1] - range[0]) : 0;
        float spread = v < 0 ? 0 : v > 255 ? 255 : v;
        assert(spread - grey[i] < 1 && grey[i] - spread < 1);
    }
    pleura_close(e);
}

/* The self-test draws a film of its own, which is not the caller's. */
static void no_film_can_be_viewed_before_the_first_diagnosis(const uint8_t *weights, size_t size)
{
    pleura_engine *e;
    pleura_result r;
    uint8_t grey = 7;
    uint16_t wide = 7, range[2] = {7, 7};
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK);
    for (int tested = 0; tested < 2; tested++) {
        assert(pleura_view(e, &grey, 1, 1) == PLEURA_NO_FILM && grey == 7);
        assert(pleura_greys(e, &wide, range, 1, 1) == PLEURA_NO_FILM && wide == 7 && range[0] == 7 && range[1] == 7);
        assert(pleura_self_test(e) == PLEURA_OK);
    }
    assert(strcmp(pleura_status_code(PLEURA_NO_FILM), "no-film") == 0);
    assert(pleura_diagnose_phantom(e, &r) == PLEURA_OK && pleura_view(e, &grey, 1, 1) == PLEURA_OK);
    pleura_close(e);
}

/* Neither the end of the range nor an average of white pixels exceeds 65535, where it would wrap around to black. */
static void white_stays_white_at_full_depth(const uint8_t *weights, size_t size)
{
    enum { WIDTH = 16384, HEIGHT = 64 };
    static uint16_t values[WIDTH * HEIGHT], greys[HEIGHT], range[2];
    pleura_engine *e;
    pleura_result r;
    pleura_samples s = {.values = values, .width = WIDTH, .height = HEIGHT, .channels = 1};
    memset(values + WIDTH * HEIGHT / 2, 255, sizeof values / 2);
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK && pleura_diagnose_samples(e, &r, &s) == PLEURA_OK);
    assert(pleura_greys(e, greys, range, 1, HEIGHT) == PLEURA_OK && range[0] == 0 && range[1] == 65535);
    for (int y = 0; y < HEIGHT; y++) assert(greys[y] == (y < HEIGHT / 2 ? 0 : 65535));
    pleura_close(e);
}

/* A tag reason takes precedence over all that the pixels say; the film still has its maps and bits. */
static void a_tag_reason_refuses_the_film(const uint8_t *weights, size_t size)
{
    enum { SIDE = 128 };
    static uint16_t values[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) values[i] = (uint16_t)(i * 4);
    pleura_engine *e;
    pleura_result r, again;
    pleura_samples s = {.values = values, .width = SIDE, .height = SIDE, .channels = 1};
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK);
    assert(pleura_diagnose_samples(e, &r, &s) == PLEURA_OK);
    check_result(&r);
    assert(r.gate < PLEURA_TAG_MODALITY);
    for (int reason = PLEURA_TAG_MODALITY; reason <= PLEURA_TAG_PROCESSING; reason++) {
        s.tag_reason = (pleura_gate)reason;
        assert(pleura_diagnose_samples(e, &r, &s) == PLEURA_OK && pleura_diagnose_samples(e, &again, &s) == PLEURA_OK);
        assert(r.verdict == PLEURA_REFUSED && r.gate == s.tag_reason && r.gate_score == 0 && r.bits == again.bits);
        assert(strncmp(pleura_gate_code(r.gate), "tag-", 4) == 0 && strlen(pleura_gate_text(r.gate)) > 40);
    }
    for (int channels = 0; channels <= 4; channels += 2) {
        s.channels = channels;
        assert(pleura_diagnose_samples(e, &r, &s) == PLEURA_IMAGE_UNSUPPORTED);
    }
    s.channels = 1, s.width = 1;
    r = again;
    assert(pleura_diagnose_samples(e, &again, &s) == PLEURA_IMAGE_TOO_SMALL && memcmp(&r, &again, sizeof r) == 0);
    pleura_close(e);
}

/* One digit of the bits stored in the weights is changed. */
static void the_self_test_fails_on_other_bits(uint8_t *weights, size_t size)
{
    static const char key[] = "pleura.selftest.bits";
    pleura_engine *e;
    uint8_t *at = weights;
    while (memcmp(at, key, sizeof key - 1) != 0) at++;
    at += sizeof key - 1 + 4 + 8; /* type, length */
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK);
    assert(pleura_self_test(e) == PLEURA_OK);
    *at = *at == '0' ? '1' : '0';
    assert(pleura_self_test(e) == PLEURA_SELF_TEST);
    pleura_close(e);
}

/* Prevalences of three labels: a typical one, that of the weights, one label alone, one label absent. */
static const float PREVALENCES[][3] = {{0.05f, 0.1f, 0.85f}, {0.4f, 0.25f, 0.35f}, {0, 1, 0}, {0.5f, 0, 0.5f}};

static void check_posterior(const pleura_result *r, const float *shares, const double *prior, double temperature)
{
    double expected[3], sum = 0;
    for (int i = 0; i < 3; i++) sum += expected[i] = exp(r->logits[i] / temperature) * (double)shares[i] / prior[i];
    for (int i = 0; i < 3; i++) assert(fabs(r->probability[i] - expected[i] / sum) < 1e-6);
}

/* Reclassifying a stored result equals diagnosing its film again, bit for bit, and the bits stay the same. */
static void a_prevalence_changes_the_posterior_alone(const uint8_t *weights, size_t size)
{
    pleura_engine *e;
    pleura_result own, kept, again;
    double prior[3], temperature;
    float logits[3], probability[3];
    size_t n;
    uint8_t *file = read_file("tests/fixtures/grey.jpg", &n);
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK &&
           pleura_number(e, &temperature, "pleura.temperature", 0));
    for (size_t i = 0; i < 3; i++) assert(pleura_number(e, prior + i, "pleura.prior", i));
    assert(pleura_diagnose(e, &own, file, n) == PLEURA_OK && own.gate == PLEURA_ACCEPTED);
    memcpy(probability, own.probability, sizeof probability);
    memcpy(logits, own.logits, sizeof logits);
    int verdicts = 0;
    for (size_t m = 0; m < sizeof PREVALENCES / sizeof *PREVALENCES; m++) {
        kept = own;
        kept.logits = logits;
        assert(pleura_set_prevalence(e, PREVALENCES[m], 3) == PLEURA_OK && pleura_self_test(e) == PLEURA_OK);
        assert(pleura_diagnose(e, &again, file, n) == PLEURA_OK);
        check_posterior(&again, PREVALENCES[m], prior, temperature);
        check_result(&again);
        assert(again.bits == own.bits && again.top_label == own.top_label);
        float diagnosed[3];
        memcpy(diagnosed, again.probability, sizeof diagnosed);
        pleura_reclassify(e, &kept);
        assert(kept.verdict == again.verdict && memcmp(kept.probability, diagnosed, sizeof diagnosed) == 0);
        if (kept.verdict >= 0) verdicts |= 1 << kept.verdict;
    }
    assert((verdicts & (verdicts - 1)) != 0); /* some prevalence changes the verdict */
    kept.gate = PLEURA_UNLIKE;
    pleura_judge(e, &kept); /* the old name */
    assert(kept.verdict == PLEURA_REFUSED);
    assert(pleura_set_prevalence(e, NULL, 0) == PLEURA_OK && pleura_diagnose(e, &again, file, n) == PLEURA_OK);
    assert(again.verdict == own.verdict && memcmp(again.probability, probability, sizeof probability) == 0);
    /* A label that alone occurs is certain, even against the most extreme logits. */
    kept.logits = (const float[]){3e38f, -3e38f, 0}, kept.gate = PLEURA_ACCEPTED;
    assert(pleura_set_prevalence(e, PREVALENCES[2], 3) == PLEURA_OK);
    pleura_reclassify(e, &kept);
    assert(kept.probability[1] == 1 && kept.verdict == 1);
    pleura_close(e);
    free(file);
}

static void an_invalid_prevalence_changes_nothing(const uint8_t *weights, size_t size)
{
    static const float bad[][3] = {{-0.1f, 0.5f, 0.6f},  {0, 0, 0},
                                   {NAN, 0.5f, 0.5f},    {INFINITY, 0, 0},
                                   {0.3f, 0.3f, 0.398f}, {0.34f, 0.34f, 0.322f}};
    pleura_engine *e;
    pleura_result r;
    float before[3];
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK &&
           pleura_set_prevalence(e, PREVALENCES[0], 3) == PLEURA_OK);
    assert(pleura_diagnose_phantom(e, &r) == PLEURA_OK);
    memcpy(before, r.probability, sizeof before);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert(pleura_set_prevalence(e, bad[i], 3) == PLEURA_PREVALENCE);
    assert(pleura_set_prevalence(e, PREVALENCES[0], 2) == PLEURA_PREVALENCE &&
           pleura_set_prevalence(e, PREVALENCES[0], 4) == PLEURA_PREVALENCE);
    assert(pleura_diagnose_phantom(e, &r) == PLEURA_OK && memcmp(before, r.probability, sizeof before) == 0);
    assert(pleura_set_prevalence(e, (const float[]){0.3335f, 0.3335f, 0.3335f}, 3) == PLEURA_OK); /* rounded by hand */
    pleura_close(e);
}

enum { SCALAR = 4, ARRAY = 4 + 4 + 8 }; /* bytes from the end of a key to its value or first element */

static uint8_t *find_value(uint8_t *weights, const char *key, size_t offset)
{
    while (memcmp(weights, key, strlen(key)) != 0) weights++;
    return weights + strlen(key) + offset;
}

static void settings_outside_their_range_are_damage(uint8_t *weights, size_t size)
{
    static const struct {
        const char *key;
        size_t offset;
        float bad[2];
    } cases[] = {
        {"pleura.temperature", SCALAR, {0.0009f, 1001}},  {"pleura.threshold.certain", SCALAR, {-0.1f, 1.1f}},
        {"pleura.lungs.margin", SCALAR, {-0.1f, 1.1f}},   {"pleura.diagnosis.blur", SCALAR, {-1, 17}},
        {"pleura.gate.min_score", SCALAR, {-0.1f, 1.1f}}, {"pleura.gate.area", ARRAY, {-0.1f, 1.1f}},
        {"pleura.gate.area", ARRAY + 4, {-0.1f, 1.1f}},   {"pleura.gate.balance", SCALAR, {-0.1f, 1.1f}},
        {"pleura.gate.chroma", SCALAR, {-0.1f, 1.1f}},    {"pleura.gate.lungs.quantiles", ARRAY, {NAN, NAN}},
    };
    pleura_engine *e;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *at = find_value(weights, cases[i].key, cases[i].offset);
        float right, values[3] = {cases[i].bad[0], cases[i].bad[1], NAN};
        memcpy(&right, at, sizeof right);
        for (int k = 0; k < 3; k++) {
            memcpy(at, values + k, sizeof *values);
            assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_MODEL_DAMAGED);
        }
        memcpy(at, &right, sizeof right);
    }
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK);
    pleura_close(e);
}

static void a_prior_is_valid_or_absent(uint8_t *weights, size_t size)
{
    static const float bad[][3] = {
        {0, 0.5f, 0.5f}, {-0.5f, 0.75f, 0.75f}, {NAN, 0.5f, 0.5f}, {0.4f, 0.25f, 0.3f}, {1, 1, 1}};
    uint8_t *prior = find_value(weights, "pleura.prior", ARRAY);
    float kept[3];
    pleura_engine *e;
    pleura_result r;
    memcpy(kept, prior, sizeof kept);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(prior, bad[i], sizeof *bad);
        assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_MODEL_DAMAGED);
    }
    memcpy(prior, kept, sizeof kept);
    uint8_t *letter = prior - ARRAY - 1;
    *letter = 'R'; /* no prior under this key */
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK);
    assert(pleura_set_prevalence(e, PREVALENCES[0], 3) == PLEURA_NO_PRIOR &&
           pleura_set_prevalence(e, NULL, 0) == PLEURA_OK);
    assert(pleura_diagnose_phantom(e, &r) == PLEURA_OK);
    *letter = 'r';
    pleura_close(e);
}

/* NaN is neither in-distribution nor certain, and it has the same bits everywhere. */
static void an_overflow_gives_no_answer(uint8_t *weights, size_t size)
{
    static const char *const layers[] = {"stem", "bare", "block.a", "block.b", "block.s"};
    gguf g;
    tensor t;
    pleura_engine *e;
    pleura_result r, again;
    assert(gguf_open(&g, weights, size) == PLEURA_OK);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        assert(gguf_tensor(&t, &g, "diagnosis", (text){layers[i], strlen(layers[i])}, "bias"));
        for (uint64_t k = 0; k < t.count; k++) memcpy(weights + (t.data - weights) + 4 * k, &(float){3e38f}, 4);
    }
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK);
    assert(pleura_diagnose_phantom(e, &r) == PLEURA_OK && isnan(r.probability[0]) && r.gate_score == 0);
    r.gate = PLEURA_ACCEPTED;
    pleura_reclassify(e, &r);
    assert(r.verdict == PLEURA_UNCERTAIN);
    pleura_close(e);
    assert(pleura_open(&e, weights, size, PLEURA_REFERENCE) == PLEURA_OK);
    assert(pleura_diagnose_phantom(e, &again) == PLEURA_OK && again.bits == r.bits);
    pleura_close(e);
}

static void texts_and_numbers_are_found_by_key(const uint8_t *weights, size_t size)
{
    pleura_engine *e;
    const char *at;
    size_t n;
    double v;
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK);
    assert(pleura_text(e, &at, &n, "pleura.labels", 2) && n == 6 && memcmp(at, "normal", 6) == 0);
    assert(!pleura_text(e, &at, &n, "pleura.labels", 64) && !pleura_text(e, &at, &n, "pleura.temperature", 0));
    assert(pleura_number(e, &v, "pleura.temperature", 0) && v > 0 && !pleura_number(e, &v, "pleura.labels", 0));
    pleura_close(e);
}

static void every_status_has_code_and_sentence(void)
{
#define X(name, number, code, text) \
    assert(strcmp(pleura_status_code(number), code) == 0 && strcmp(pleura_status_text(number), text) == 0);
    PLEURA_STATUS_LIST(X)
#undef X
    assert(strlen(pleura_status_text(-7)) > 0);
}

/* Two squares of 16 and 15 pixels and a speck of 1 on a mask of 16 x 16: the box holds the squares alone. */
static void specks_are_not_lungs(void)
{
    enum { SIDE = 16 };
    static float logits[SIDE * SIDE], mask[SIDE * SIDE];
    static int scratch[2 * SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) logits[i] = -9;
    for (int y = 4; y < 8; y++)
        for (int x = 2; x < 6; x++)
            logits[y * SIDE + x] = 9, logits[y * SIDE + x + 7] = y == 7 && x == 5 ? -9.0f : 9.0f;
    logits[15 * SIDE + 15] = 9;
    lungs l = {.mask = mask, .side = SIDE};
    lungs_find(&l, logits, 1, scratch);
    assert(l.area == 31.0f / 256 && fabsf(l.balance - 15.0f / 16) < 1e-6f && l.doubt == 0);
    assert(l.x0 == 2.0f / 16 && l.x1 == 13.0f / 16 && l.y0 == 4.0f / 16 && l.y1 == 8.0f / 16);
    assert(mask[5 * SIDE + 3] > 0.99f && mask[15 * SIDE + 15] == 0 && mask[3 * SIDE + 2] < 0.01f);
    for (int i = 0; i < SIDE * SIDE; i++) logits[i] = 1; /* one region that fills the film */
    lungs_find(&l, logits, 1, scratch);
    assert(l.area == 1 && l.balance == 1 && l.doubt == 1); /* a logit of 1 is a probability of 0.73 */
    for (int i = 0; i < SIDE * SIDE; i++) logits[i] = -1;
    lungs_find(&l, logits, 1, scratch);
    assert(l.area == 0 && l.x0 == 0 && l.x1 == 1 && mask[0] == 0 && l.doubt == 0);
}

/* Two pixels, four features, five labels: the map is the sum weighted for its label, cut off at 0, largest value 1. */
static void the_map_belongs_to_its_label(void)
{
    float features[2][4] = {{1, 2, 3, 4}, {4, 3, 2, 1}}, weights[2][4][4] = {{{0}}}, map[2];
    net_layer layer = {.d = &(layer_desc){.h = 1, .w = 2, .c = 4, .c_stride = 4}, .out = features[0]};
    net_layer logits = {.d = &(layer_desc){.c = 5, .c_stride = 8}, .weight = weights[0][0]};
    weights[0][0][1] = 1;                        /* label 1 looks at the first feature */
    weights[1][3][0] = 2;                        /* label 4 at the last */
    weights[0][1][2] = -1, weights[0][2][2] = 1; /* label 2: third minus second, 1 and -1 */
    cells_of_label(map, &layer, &logits, 1);
    assert(map[0] == 0.25f && map[1] == 1);
    cells_of_label(map, &layer, &logits, 4);
    assert(map[0] == 1 && map[1] == 0.25f);
    cells_of_label(map, &layer, &logits, 2);
    assert(map[0] == 1 && map[1] == 0);
    cells_of_label(map, &layer, &logits, 0);
    assert(map[0] == 0 && map[1] == 0);
}

/* A map of two cells over the left and right half of a film that is all lung, except for its last column. */
static void a_heatmap_lies_over_its_box(void)
{
    enum { SIDE = 8 };
    static float mask[SIDE * SIDE], heat[SIDE * SIDE];
    const float whole[4] = {0, 0, 1, 1}, left[4] = {0, 0, 0.5f, 1};
    lungs l = {.mask = mask, .side = SIDE, .x1 = 1, .y1 = 1};
    for (int i = 0; i < SIDE * SIDE; i++) mask[i] = i % SIDE < SIDE - 1;
    heatmap_draw(heat, (float[]){0, 1}, 2, 1, 0, whole, &l);
    assert(heat[0] == 0 && heat[3] == 0.375f && heat[6] == 1 && heat[7] == 0);
    heatmap_draw(heat, (float[]){-20, 20}, 2, 1, 1, whole, &l);
    assert(heat[0] < 1e-6f && heat[3] < 0.01f && heat[4] > 0.99f && heat[7] == 0);
    float extent[2];
    heatmap_extent(extent, heat, 0.5f, &l);
    assert(extent[0] == 0 && extent[1] == 1);
    heatmap_draw(heat, (float[]){20, 20}, 2, 1, 1, left, &l);
    heatmap_extent(extent, heat, 0.5f, &l);
    assert(extent[0] == 1 && extent[1] == 0);
    heatmap_draw(heat, NULL, 0, 0, 0, whole, &l);
    for (int i = 0; i < SIDE * SIDE; i++) assert(heat[i] == 0);
}

/* Only a clear lead over every other pose counts, and a picture that is no chest film has no pose. */
static void a_pose_needs_a_clear_lead(void)
{
    static const struct {
        float logits[POSE_OUTPUTS];
        int quarter_turns, inverted;
    } cases[] = {
        {{9, 0, 0, 0, 0, -9}, 0, 0}, {{0, 9, 0, 0, 0, -9}, 1, 0}, {{0, 0, 0, 9, 0, 9}, 3, 1},
        {{8, 9, 0, 0, 0, -9}, 0, 0}, {{0, 0, 8, 0, 9, 9}, 0, 0},  {{9, 0, 0, 0, 0, 9}, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float logits[POSE_OUTPUTS];
        memcpy(logits, cases[i].logits, sizeof logits);
        net_layer pose = {.out = logits};
        pleura_engine e = {.pose = &pose};
        film_state s = {0};
        gate_pose(&s, &e);
        assert(s.quarter_turns == cases[i].quarter_turns && s.inverted == cases[i].inverted);
        e.settings = (settings){.max_area = 1, .max_doubt = 1, .max_chroma = 1};
        e.lungs.area = 0.3f;
        pleura_gate expected = s.quarter_turns ? PLEURA_TURNED : s.inverted ? PLEURA_INVERTED : PLEURA_ACCEPTED;
        assert(gate_reason(&e, &s, PLEURA_ACCEPTED) == expected);
    }
}

/* The label `other` is never an answer; a refused film has no doubt. */
static void another_finding_makes_the_verdict_uncertain(void)
{
    pleura_engine e = {.label_count = 3, .settings = {.temperature = 1, .certain = 0.5f, .other = 2}};
    pleura_result r = {.logits = (float[]){5, 0, 0}};
    posterior_classify(&e, &r, NULL);
    assert(r.verdict == 0 && r.doubt == PLEURA_CERTAIN);
    r.logits = (float[]){0, 0, 5};
    posterior_classify(&e, &r, NULL);
    assert(r.verdict == PLEURA_UNCERTAIN && r.doubt == PLEURA_OTHER_FINDING);
    assert(strcmp(pleura_doubt_code(r.doubt), "other-finding") == 0 && strlen(pleura_doubt_text(r.doubt)) > 0);
    r.logits = (float[]){0, 0.1f, 0};
    posterior_classify(&e, &r, NULL);
    assert(r.verdict == PLEURA_UNCERTAIN && r.doubt == PLEURA_UNDECIDED);
    r.gate = PLEURA_BLANK;
    posterior_classify(&e, &r, NULL);
    assert(r.verdict == PLEURA_REFUSED && r.doubt == PLEURA_CERTAIN);
}

/* A square of 8 x 8 pixels becomes 10 x 10 and 12 x 12; the crop is the whole film at the resolution of the mask. */
static void a_mask_grows_on_every_side(void)
{
    enum { SIDE = 16 };
    static float mask[SIDE * SIDE], crop[SIDE * SIDE], crop_mask[SIDE * SIDE], workspace[SIDE * SIDE];
    static uint16_t pixels[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++)
        mask[i] = i % SIDE >= 4 && i % SIDE < 12 && i / SIDE >= 4 && i / SIDE < 12, pixels[i] = (uint16_t)(i * 99);
    film f = {pixels, SIDE, SIDE, 0};
    lungs l = {.mask = mask, .side = SIDE, .x1 = 1, .y1 = 1};
    for (int grow = 0; grow < 3; grow++) {
        int covered = 0, width = 8 + 2 * grow;
        lungs_input(crop, crop_mask, &(crop_settings){SIDE, 0, 0, grow, 0}, &f, &l, workspace);
        for (int i = 0; i < SIDE * SIDE; i++) covered += crop_mask[i] == 1;
        assert(covered == width * width && crop_mask[(4 - grow) * SIDE + 4 - grow] == 1);
    }
}

/* Pixels outside the mask do not change the crop inside it, by blur or by normalisation. */
static void nothing_from_outside_reaches_the_lungs(int grow, float contrast)
{
    enum { SIDE = 16, FILM = 160, OUT = 32 };
    static float logits[SIDE * SIDE], mask[SIDE * SIDE], crop[2][OUT * OUT], crop_mask[OUT * OUT];
    static float workspace[SIDE * SIDE];
    static int scratch[2 * SIDE * SIDE];
    static uint16_t pixels[FILM * FILM];
    for (int i = 0; i < SIDE * SIDE; i++)
        logits[i] = i % SIDE >= 4 && i % SIDE < 12 && i / SIDE >= 4 && i / SIDE < 12 ? 99.0f : -99.0f;
    lungs l = {.mask = mask, .side = SIDE};
    lungs_find(&l, logits, 1, scratch);
    for (int other = 0; other < 2; other++) {
        for (int i = 0; i < FILM * FILM; i++) {
            int x = i % FILM, y = i / FILM, edge = 30 - 10 * grow,
                near = x >= edge && x < FILM - edge && y >= edge && y < FILM - edge;
            pixels[i] = (uint16_t)(near ? 9000 + 40 * x + 17 * y + 977 * (x * y % 7) : other ? 60000 : 5);
        }
        film f = {pixels, FILM, FILM, 0};
        lungs_input(crop[other], crop_mask, &(crop_settings){OUT, 0.5f, 2, grow, contrast}, &f, &l, workspace);
        for (int i = 0; i < OUT * OUT; i++) crop[other][i] *= crop_mask[i];
    }
    int inside = 0;
    for (int i = 0; i < OUT * OUT; i++) {
        assert(fabsf(crop[0][i] - crop[1][i]) < 1e-6f);
        inside += fabsf(crop[0][i]) > 0.1f;
    }
    assert(inside > OUT * OUT / 6);
}

/* Weights with an opacity map, a label for other findings and a pose. */
static void an_opacity_map_is_a_probability_in_the_lungs(const uint8_t *weights, size_t size)
{
    static float map[128 * 128];
    pleura_engine *e;
    pleura_result r;
    assert(pleura_open(&e, weights, size, PLEURA_SIMD) == PLEURA_OK);
    assert(pleura_class_map(e, map, 0) == PLEURA_NO_FILM);
    assert(pleura_diagnose_phantom(e, &r) == PLEURA_OK);
    check_result(&r);
    assert(r.map_kind == PLEURA_MAP_OPACITY && r.label_count == 4 && r.map_side <= 128);
    for (int i = 0; i < 2; i++) assert(r.extent[i] >= 0 && r.extent[i] <= 1);
    int count = r.map_side * r.map_side;
    float largest = 0, opacity = 0;
    assert(pleura_class_map(e, map, 2) == PLEURA_OK);
    for (int i = 0; i < count; i++) {
        largest = map[i] > largest ? map[i] : largest;
        opacity = r.heatmap[i] > opacity ? r.heatmap[i] : opacity;
    }
    assert(largest > 0 && opacity > 0 && memcmp(map, r.heatmap, (size_t)count * sizeof *map) != 0);
    assert(pleura_class_map(e, map, 4) == PLEURA_NO_MAP && pleura_class_map(e, map, -1) == PLEURA_NO_MAP);
    pleura_close(e);
}

/* Programs that were compiled with this number expect these structs. Whoever changes one raises PLEURA_ABI. */
static void the_abi_has_these_structs(void)
{
    assert(PLEURA_ABI == 1 && pleura_abi() == PLEURA_ABI && !strcmp(pleura_version(), PLEURA_VERSION));
#if UINTPTR_MAX == UINT64_MAX
#define AT(type, member, offset) assert(offsetof(pleura_##type, member) == offset)
    assert(sizeof(pleura_result) == 104 && sizeof(pleura_samples) == 40);
    AT(result, verdict, 0), AT(result, doubt, 4), AT(result, label_count, 8), AT(result, logits, 16);
    AT(result, probability, 24), AT(result, gate, 32), AT(result, gate_score, 36), AT(result, width, 40);
    AT(result, height, 44), AT(result, map_side, 48), AT(result, top_label, 52), AT(result, quarter_turns, 56);
    AT(result, lungs, 64), AT(result, heatmap, 72), AT(result, map_kind, 80), AT(result, extent, 84);
    AT(result, bits, 96), AT(samples, values, 0), AT(samples, width, 8), AT(samples, height, 12);
    AT(samples, channels, 16), AT(samples, table, 24), AT(samples, tag_reason, 32);
#undef AT
#endif
}

int main(void)
{
    size_t size;
    uint8_t *weights = read_file("model/pleura.gguf", &size);
    the_abi_has_these_structs();
    specks_are_not_lungs();
    nothing_from_outside_reaches_the_lungs(0, 0);
    nothing_from_outside_reaches_the_lungs(2, 0.25f);
    a_mask_grows_on_every_side();
    the_map_belongs_to_its_label();
    a_heatmap_lies_over_its_box();
    a_pose_needs_a_clear_lead();
    another_finding_makes_the_verdict_uncertain();
    every_status_has_code_and_sentence();
    reference_and_simd_give_the_same_bits(weights, size);
    no_film_can_be_viewed_before_the_first_diagnosis(weights, size);
    the_gate_refuses_blank_and_colour(weights, size);
    a_tag_reason_refuses_the_film(weights, size);
    texts_and_numbers_are_found_by_key(weights, size);
    the_self_test_fails_on_other_bits(weights, size);
    free(weights);
    weights = read_file("tests/fixtures/findings.gguf", &size);
    reference_and_simd_give_the_same_bits(weights, size);
    an_opacity_map_is_a_probability_in_the_lungs(weights, size);
    free(weights);
    weights = read_file("tests/fixtures/tiny.gguf", &size);
    white_stays_white_at_full_depth(weights, size);
    a_prevalence_changes_the_posterior_alone(weights, size);
    an_invalid_prevalence_changes_nothing(weights, size);
    settings_outside_their_range_are_damage(weights, size);
    a_prior_is_valid_or_absent(weights, size);
    an_overflow_gives_no_answer(weights, size);
    free(weights);
    puts("pleura: ok");
    return 0;
}
