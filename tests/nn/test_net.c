/* test_net.c - compares every layer, by both kernel tables, with tensors from PyTorch (model/training/goldens.py): in
 * full for a tiny random model that has every op, by samples for the shipped int8 model on the phantom. It also checks which
 * mixtures of float and int8 a graph may have. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/lungs.h"
#include "nn/net.h"
#include "image/phantom.h"
#include "../support/read_file.h"

typedef struct {
    const char *path;
    double limit; /* squared error over squared values */
    uint8_t *bytes;
    size_t size;
} goldens;

typedef struct {
    char graph[32], layer[64];
    int h, w, c, count;
    float *values; /* [count], spread evenly over the h * w * c values in HWC order */
} record;

/* The record of a layer; the caller frees its values. A record is a line "graph layer h w c count" and count floats. */
static record find_record(const goldens *g, const char *graph, text layer)
{
    for (size_t at = 0; at < g->size;) {
        record r;
        char line[160];
        size_t length = 0;
        while (length < sizeof line - 1 && (line[length] = (char)g->bytes[at + length]) != '\n') length++;
        line[length] = 0;
        assert(sscanf(line, "%31s %63s %d %d %d %d", r.graph, r.layer, &r.h, &r.w, &r.c, &r.count) == 6);
        at += length + 1;
        if (strcmp(r.graph, graph) == 0 && strlen(r.layer) == layer.size &&
            memcmp(r.layer, layer.at, layer.size) == 0) {
            r.values = malloc((size_t)r.count * sizeof(float));
            memcpy(r.values, g->bytes + at, (size_t)r.count * sizeof(float));
            return r;
        }
        at += (size_t)r.count * sizeof(float);
    }
    fprintf(stderr, "%s has no record of %s %.*s\n", g->path, graph, (int)layer.size, layer.at);
    exit(1);
}

/* Value `index` of the layer's output, channels of padding included. */
static double output_value(const net_layer *l, int index)
{
    return net_is_int8(l) ? l->scale * (((const uint8_t *)l->out)[index] - l->zero_point) : l->out[index];
}

/* Compares a layer that has just run. The first that differs too much ends the test with its name. */
static void compare(const goldens *expected, const net *n, const net_layer *l)
{
    record r = find_record(expected, n->graph, l->d->name);
    assert(r.h == l->d->h && r.w == l->d->w && r.c == l->d->c);
    double error = 0, power = 1e-12;
    for (int i = 0, step = r.h * r.w * r.c / r.count; i < r.count; i++) {
        int index = i * step, pixel = index / r.c, channel = index % r.c;
        double right = r.values[i], difference = output_value(l, pixel * l->d->c_stride + channel) - right;
        error += difference * difference, power += right * right;
    }
    free(r.values);
    if (error / power <= expected->limit) return;
    fprintf(stderr, "%s: %s %.*s differs: NMSE %.2e\n", expected->path, n->graph, (int)l->d->name.size, l->d->name.at,
            error / power);
    exit(1);
}

static void run_and_compare(net *n, const kernels *k, const goldens *expected)
{
    for (int i = 0; i < n->count; i++) {
        net_step(n, k, i);
        compare(expected, n, n->layers + i);
    }
}

/* Opens a net in its own arena, which the caller frees. */
static arena open_net(net *n, const gguf *g, const char *graph)
{
    static const char *const keep[] = {"mask", NULL};
    assert(net_parse(n, g, graph, keep) == PLEURA_OK);
    size_t size = (n->weights + n->staging + n->activations + n->workspace + 8 * GRAPH_MAX_LAYERS) * sizeof(float);
    arena a = {malloc(size), size, 0};
    assert(net_load(n, g, &a) == PLEURA_OK && net_place(n, &a) == PLEURA_OK);
    return a;
}

/* The tiny model on the input in its goldens. Returns the number of layers compared. */
static int compare_tiny(const kernels *k)
{
    goldens expected = {.path = "tests/fixtures/tiny.bin", .limit = 1e-9};
    size_t size;
    int layers = 0;
    uint8_t *weights = read_file("tests/fixtures/tiny.gguf", &size);
    expected.bytes = read_file(expected.path, &expected.size);
    gguf g;
    assert(gguf_open(&g, weights, size) == PLEURA_OK);
    static const char *const graphs[] = {"lungs", "diagnosis"};
    for (int i = 0; i < 2; i++) {
        net n;
        arena a = open_net(&n, &g, graphs[i]);
        record image = find_record(&expected, graphs[i], n.descs[0].name);
        memcpy(net_input(&n), image.values, (size_t)image.count * sizeof(float));
        free(image.values);
        run_and_compare(&n, k, &expected);
        layers += n.count;
        free(a.base);
    }
    free(weights), free(expected.bytes);
    return layers;
}

/* The shipped model on the phantom, prepared as engine/pleura.c does it. Where a sum lies between two int8 values,
 * PyTorch may round it to the other one, and later layers see the difference. */
static int compare_shipped(const kernels *k)
{
    goldens expected = {.path = "tests/fixtures/phantom.bin", .limit = 1e-2};
    size_t size;
    uint8_t *weights = read_file("model/pleura.gguf", &size);
    expected.bytes = read_file(expected.path, &expected.size);
    gguf g;
    film f;
    net first, second;
    double margin, blur, grow = 0, contrast = 0;
    assert(gguf_open(&g, weights, size) == PLEURA_OK && phantom_draw(&f) == PLEURA_OK);
    assert(gguf_number(&margin, &g, "pleura.lungs.margin", 0) && gguf_number(&blur, &g, "pleura.diagnosis.blur", 0));
    gguf_number(&grow, &g, "pleura.diagnosis.grow", 0);
    gguf_number(&contrast, &g, "pleura.diagnosis.contrast", 0);
    arena a = open_net(&first, &g, "lungs"), b = open_net(&second, &g, "diagnosis");
    int side = first.descs[0].h, crop_side = second.descs[0].h;
    lungs l = {.mask = malloc((size_t)side * (size_t)side * sizeof(float)), .side = side};
    int *scratch = malloc(2 * (size_t)side * (size_t)side * sizeof(int));
    float *mask = malloc((size_t)crop_side * (size_t)crop_side * sizeof(float));
    film_input(net_input(&first), side, &f);
    run_and_compare(&first, k, &expected);
    const net_layer *logits = net_find(&first, "mask");
    lungs_find(&l, logits->out, logits->d->c_stride, scratch);
    crop_settings settings = {crop_side, (float)margin, (int)blur, (int)grow, (float)contrast};
    float *workspace = malloc(lungs_input_workspace(&settings, &l) * sizeof(float));
    lungs_input(net_input(&second), mask, &settings, &f, &l, workspace);
    for (int i = 0; i < crop_side * crop_side; i++) net_input(&second)[i] *= mask[i];
    run_and_compare(&second, k, &expected);
    film_free(&f);
    free(workspace), free(l.mask), free(scratch), free(mask), free(a.base), free(b.base), free(weights),
        free(expected.bytes);
    return first.count + second.count;
}

typedef struct {
    uint8_t bytes[1024];
    size_t size;
} block;

static void put(block *b, const void *bytes, size_t size)
{
    assert(size <= sizeof b->bytes - b->size);
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}
static void put32(block *b, uint32_t v) { put(b, &v, sizeof v); }
static void put64(block *b, uint64_t v) { put(b, &v, sizeof v); }
static void put_string(block *b, const char *s) { put64(b, strlen(s)), put(b, s, strlen(s)); }

static void put_array(block *b, const char *key, uint32_t type, int count)
{
    put_string(b, key);
    put32(b, GGUF_VALUE_TYPE_ARRAY), put32(b, type), put64(b, (uint64_t)count);
}

/* The status of a graph of `count` lines without tensors, whose outputs have these scales and the zero point 10. */
static pleura_status parse_lines(int count, const char *const *lines, const float *scales)
{
    static const char *const keep[] = {NULL};
    static net n;
    gguf g;
    block b = {.size = 0};
    put(&b, "GGUF\3\0\0", 8), put64(&b, 0), put64(&b, 3);
    put_array(&b, "pleura.t.graph", GGUF_VALUE_TYPE_STRING, count);
    for (int i = 0; i < count; i++) put_string(&b, lines[i]);
    put_array(&b, "pleura.t.steps", GGUF_VALUE_TYPE_FLOAT32, count);
    put(&b, scales, (size_t)count * sizeof *scales);
    put_array(&b, "pleura.t.zeros", GGUF_VALUE_TYPE_FLOAT32, count);
    for (int i = 0; i < count; i++) put(&b, &(float){10}, sizeof(float));
    assert(gguf_open(&g, b.bytes, b.size) == PLEURA_OK);
    return net_parse(&n, &g, "t", keep);
}

/* Each last line follows a float image and int8 values of scale 0.5. Its own scale is 0 for a float output. */
static void number_types_without_a_kernel_are_refused(void)
{
    static const struct {
        const char *line;
        float scale;
        int accepted;
    } cases[] = {
        {"a = quantise image", 0.25f, 1},
        {"a = quantise image", 0, 0},
        {"a = quantise image", 1e30f, 0},
        {"a = quantise image", -1, 0},
        {"a = quantise q", 0.5f, 0},
        {"a = dequantise q", 0, 1},
        {"a = dequantise image", 0, 0},
        {"a = dequantise q", 0.5f, 0},
        {"a = maxpool image k=2", 0, 1},
        {"a = maxpool q k=2", 0.5f, 1},
        {"a = maxpool q k=2", 0.25f, 0},
        {"a = maxpool q k=2", 0, 0},
        {"a = maxpool image k=2", 0.5f, 0},
        {"a = resize q scale=2", 0.5f, 1},
        {"a = resize q scale=2", 0.25f, 0},
        {"a = resize image mode=linear", 0, 1},
        {"a = resize q mode=linear", 0.5f, 0},
        {"a = concat q q", 0.5f, 1},
        {"a = concat q image", 0.5f, 0},
        {"a = concat image q", 0, 0},
        {"a = add q q act=relu6", 0.25f, 1},
        {"a = add q q act=silu", 0.25f, 0},
        {"a = add q q", 0, 0},
        {"a = add q image", 0.25f, 0},
        {"a = add image q", 0, 0},
        {"a = mean q", 0, 1},
        {"a = mean q", 0.5f, 0},
        {"a = avgpool q k=2", 0.5f, 0},
        {"a = avgpool q k=2", 0, 0},
        {"a = mul q q", 0.5f, 0},
        {"a = act q act=relu", 0.5f, 0},
        {"a = act q act=relu", 0, 0},
        {"a = act image act=relu", 0.5f, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *lines[] = {"image = input h=4 w=4 c=4", "q = quantise image", cases[i].line};
        pleura_status status = parse_lines(3, lines, (float[]){0, 0.5f, cases[i].scale});
        if (status == (cases[i].accepted ? PLEURA_OK : PLEURA_MODEL_DAMAGED)) continue;
        fprintf(stderr, "\"%s\" with scale %g: status %d\n", cases[i].line, (double)cases[i].scale, status);
        exit(1);
    }
    const char *lines[] = {"image = input h=4 w=4 c=4", "a = maxpool image k=2"};
    assert(parse_lines(2, lines, (float[]){0.5f, 0.5f}) == PLEURA_MODEL_DAMAGED); /* the input is always float */
}

int main(void)
{
    number_types_without_a_kernel_are_refused();
    int tiny = compare_tiny(&kernels_ref) + compare_tiny(&kernels_simd);
    int shipped = compare_shipped(&kernels_ref) + compare_shipped(&kernels_simd);
    printf("net: %d layers of the tiny model and %d of the shipped one agree with PyTorch\n", tiny / 2, shipped / 2);
    return 0;
}
