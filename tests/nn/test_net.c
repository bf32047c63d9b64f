/* test_net.c - every layer of both kernel tables against tensors that PyTorch has written (model/training/goldens.py):
 * all of a tiny random model with every op, and samples of the shipped model on the phantom. */
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
    uint8_t *bytes;
    size_t size;
} goldens;

typedef struct {
    char graph[32], layer[64];
    int h, w, c, count;
    float *values; /* count of them, evenly spread over h * w * c in HWC order */
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
    fprintf(stderr, "%s holds no %s %.*s\n", g->path, graph, (int)layer.size, layer.at);
    exit(1);
}

/* Compares one layer as it runs; the first that is too far off ends the test by its name. */
static void compare(const goldens *expected, const net *n, const net_layer *l)
{
    static const double limit = 1e-9; /* of the squared error relative to the squared values */
    record r = find_record(expected, n->graph, l->d->name);
    assert(r.h == l->d->h && r.w == l->d->w && r.c == l->d->c);
    double error = 0, power = 1e-12;
    for (int i = 0, step = r.h * r.w * r.c / r.count; i < r.count; i++) {
        int index = i * step, pixel = index / r.c, channel = index % r.c;
        double right = r.values[i], difference = l->out[pixel * l->d->c_stride + channel] - right;
        error += difference * difference, power += right * right;
    }
    free(r.values);
    if (error / power <= limit) return;
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

/* A net in an arena of its own. */
static arena open_net(net *n, const gguf *g, const char *graph)
{
    static const char *const keep[] = {"mask", NULL};
    assert(net_parse(n, g, graph, keep) == PLEURA_OK);
    size_t size = (n->weights + n->staging + n->activations + n->workspace + 8 * GRAPH_MAX_LAYERS) * sizeof(float);
    arena a = {malloc(size), size, 0};
    assert(net_load(n, g, &a) == PLEURA_OK && net_place(n, &a) == PLEURA_OK);
    return a;
}

/* The tiny model on the input that its goldens hold. Returns the number of layers compared. */
static int compare_tiny(const kernels *k)
{
    goldens expected = {.path = "tests/fixtures/tiny.bin"};
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

/* The shipped model on the phantom, prepared as pleura.c does. */
static int compare_shipped(const kernels *k)
{
    goldens expected = {.path = "tests/fixtures/phantom.bin"};
    size_t size;
    uint8_t *weights = read_file("model/pleura.gguf", &size);
    expected.bytes = read_file(expected.path, &expected.size);
    gguf g;
    film f;
    net first, second;
    double margin, blur;
    assert(gguf_open(&g, weights, size) == PLEURA_OK && phantom_draw(&f) == PLEURA_OK);
    assert(gguf_number(&margin, &g, "pleura.lungs.margin", 0) && gguf_number(&blur, &g, "pleura.diagnosis.blur", 0));
    arena a = open_net(&first, &g, "lungs"), b = open_net(&second, &g, "diagnosis");
    int side = first.descs[0].h, crop_side = second.descs[0].h;
    lungs l = {.mask = malloc((size_t)side * (size_t)side * sizeof(float)), .side = side};
    int *scratch = malloc(2 * (size_t)side * (size_t)side * sizeof(int));
    float *mask = malloc((size_t)crop_side * (size_t)crop_side * sizeof(float));
    film_input(net_input(&first), side, &f);
    run_and_compare(&first, k, &expected);
    const net_layer *logits = net_find(&first, "mask");
    lungs_find(&l, logits->out, logits->d->c_stride, scratch);
    lungs_input(net_input(&second), mask, &(crop_settings){crop_side, (float)margin, (int)blur}, &f, &l);
    for (int i = 0; i < crop_side * crop_side; i++) net_input(&second)[i] *= mask[i];
    run_and_compare(&second, k, &expected);
    film_free(&f);
    free(l.mask), free(scratch), free(mask), free(a.base), free(b.base), free(weights), free(expected.bytes);
    return first.count + second.count;
}

int main(void)
{
    int tiny = compare_tiny(&kernels_ref) + compare_tiny(&kernels_simd);
    int shipped = compare_shipped(&kernels_ref) + compare_shipped(&kernels_simd);
    printf("net: %d layers of the tiny model and %d of the shipped one agree with PyTorch\n", tiny / 2, shipped / 2);
    return 0;
}
