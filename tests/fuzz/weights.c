/* weights.c - any bytes as weights: opened, inspected, and run by both kernel tables if that takes little.
 *
 * A GGUF file is taken as it is. Any other input is text, from which a GGUF file with fitting tensors is built, because
 * hardly any change to a file's bytes gives another graph that runs. The lines of the text:
 *     L line, D line     a layer of the lungs or the diagnosis graph, as in graph.h
 *     S scale zero       quantisation of the outputs of the layers below (int8.h)
 *     N key numbers...   an array of floats under "pleura.<key>" */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/graph.h"
#include "engine/inspect.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int as_text = 1, as_file = 1; /* both when corpora are replayed: otherwise texts crowd out files */

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    for (int i = 1; i < *count; i++) {
        if (strstr((*arguments)[i], "weights-gguf")) as_text = 0;
        if (strstr((*arguments)[i], "weights-text")) as_file = 0;
    }
    return 0;
}

enum { ROOM = 1 << 18, SIDE = 80, LABELS = 64, NUMBERS = 128 };
static const uint64_t MOST_WORK = 4000000;

typedef struct {
    uint8_t bytes[ROOM];
    size_t size;
    int full;
} block;

typedef struct {
    const char *name;
    text lines[GRAPH_MAX_LAYERS];
    float steps[GRAPH_MAX_LAYERS], zeros[GRAPH_MAX_LAYERS];
    layer_desc layers[GRAPH_MAX_LAYERS];
    int count;
} graph;

static block values, tensors, data, file;
static uint64_t value_count, tensor_count;
static uint32_t random_state;

static void put(block *b, const void *bytes, size_t size)
{
    if (size > ROOM - b->size) b->full = 1;
    else memcpy(b->bytes + b->size, bytes, size), b->size += size;
}

static void put32(block *b, uint32_t v) { put(b, &v, 4); }
static void put64(block *b, uint64_t v) { put(b, &v, 8); }
static void put_text(block *b, const char *at, size_t size) { put64(b, size), put(b, at, size); }

static void put_array(const char *key, uint32_t type, uint64_t count)
{
    put_text(&values, key, strlen(key));
    put32(&values, GGUF_VALUE_TYPE_ARRAY), put32(&values, type), put64(&values, count);
    value_count++;
}

static void put_floats(const char *key, const float *v, int count)
{
    put_array(key, GGUF_VALUE_TYPE_FLOAT32, (uint64_t)count);
    put(&values, v, (size_t)count * sizeof *v);
}

static uint32_t next_random(void) { return random_state = random_state * 1664525 + 1013904223; }

/* One element, or a block of 32 of Q8_0; all are small. */
static void put_weight(tensor_type type)
{
    uint32_t r = next_random() >> 16;
    float whole = ((float)r - 32768) / 131072;
    uint16_t half = (uint16_t)(0x2800 | (r & 0x83ff)), scale = 0x1400;
    if (type == TENSOR_F32) put(&data, &whole, 4);
    if (type == TENSOR_F16) put(&data, &half, 2);
    if (type == TENSOR_Q8_0) put(&data, &scale, 2);
    for (int i = 0; i < (type == TENSOR_Q8_0 ? 32 : type == TENSOR_I8); i++)
        put(&data, &(uint8_t){(uint8_t)(next_random() >> 16)}, 1);
}

static void put_tensor(const char *graph_name, text layer, const char *part, tensor_type type, const uint64_t dims[5])
{
    uint64_t count = 1;
    int used = 5;
    while (used > 1 && dims[used - 1] == 1) used--;
    put64(&tensors, strlen(graph_name) + layer.size + strlen(part) + 2);
    put(&tensors, graph_name, strlen(graph_name)), put(&tensors, ".", 1);
    put(&tensors, layer.at, layer.size), put(&tensors, ".", 1);
    put(&tensors, part, strlen(part));
    put32(&tensors, (uint32_t)used);
    for (int i = 0; i < used; i++) put64(&tensors, dims[i]), count *= dims[i];
    put32(&tensors, type);
    put64(&tensors, data.size);
    tensor_count++;
    for (uint64_t n = type == TENSOR_Q8_0 ? count / 32 : count; n && !data.full; n--) put_weight(type);
}

/* The tensors that a layer wants, of one type or another. */
static void put_weights(const graph *g, const layer_desc *l, int number)
{
    int side;
    uint64_t cin, cout = (uint64_t)l->c_stride, blocks = cout / 4;
    graph_window(&side, &cin, l, g->layers);
    uint64_t k = (uint64_t)side, row = 4 * cin * k * k;
    if (g->steps[l->inputs[0]] > 0) {
        int depthwise = l->op == OP_DEPTHWISE;
        put_tensor(g->name, l->name, "weight", TENSOR_I8,
                   (uint64_t[5]){depthwise ? 4 : 16, depthwise ? k * k : (k * k * cin + 3) / 4, blocks, 1, 1});
        put_tensor(g->name, l->name, "scale", TENSOR_F32, (uint64_t[5]){cout, 1, 1, 1, 1});
        float scale = 0.01f; /* never below zero */
        for (uint64_t i = 0; i < cout && !data.full; i++) memcpy(data.bytes + data.size - 4 * (i + 1), &scale, 4);
    } else if (number % 3 == 0 && row % 32 == 0) {
        put_tensor(g->name, l->name, "weight", TENSOR_Q8_0, (uint64_t[5]){row, blocks, 1, 1, 1});
    } else {
        put_tensor(g->name, l->name, "weight", number % 2 ? TENSOR_F16 : TENSOR_F32,
                   (uint64_t[5]){4, cin, k, k, blocks});
    }
    put_tensor(g->name, l->name, "bias", TENSOR_F32, (uint64_t[5]){cout, 1, 1, 1, 1});
}

static void put_quantiles(const char *graph_name)
{
    char key[64];
    float v[101];
    for (int i = 0; i < 101; i++) v[i] = (float)i / 4;
    snprintf(key, sizeof key, "pleura.gate.%s.quantiles", graph_name);
    put_floats(key, v, 101);
}

/* Returns how many channels the logits have. */
static int put_graph(graph *g)
{
    char key[64];
    int labels = 0;
    if (g->count == 0) return 0;
    snprintf(key, sizeof key, "pleura.%s.graph", g->name);
    put_array(key, GGUF_VALUE_TYPE_STRING, (uint64_t)g->count);
    for (int i = 0; i < g->count; i++) put_text(&values, g->lines[i].at, g->lines[i].size);
    snprintf(key, sizeof key, "pleura.%s.steps", g->name);
    put_floats(key, g->steps, g->count);
    snprintf(key, sizeof key, "pleura.%s.zeros", g->name);
    put_floats(key, g->zeros, g->count);
    for (int i = 0; i < g->count; i++) {
        layer_desc *l = g->layers + i;
        if (graph_read(g->layers, i, g->lines[i])) break; /* the engine stops there, too */
        if (graph_has_weights(l)) put_weights(g, l, i);
        if (l->name.size == 6 && memcmp(l->name.at, "logits", 6) == 0) labels = l->c;
        if (l->name.size == 4 && memcmp(l->name.at, "gate", 4) == 0) put_quantiles(g->name);
    }
    return labels;
}

static void put_numbers(char *line)
{
    char key[64];
    float v[NUMBERS];
    int count = 0, used = 0;
    if (sscanf(line, "%40s%n", key + 7, &used) != 1) return;
    memcpy(key, "pleura.", 7);
    for (char *end; count < NUMBERS; count++) {
        v[count] = strtof(line + used, &end);
        if (end == line + used) break;
        used = (int)(end - line);
    }
    put_floats(key, v, count);
}

/* Makes the GGUF file of a text in `file`. Returns 0 when it has no room. */
static int compile(char *source)
{
    static graph lungs, diagnosis;
    float step = 0, zero = 0;
    lungs.name = "lungs", diagnosis.name = "diagnosis";
    lungs.count = diagnosis.count = 0;
    values.size = tensors.size = data.size = file.size = 0;
    values.full = tensors.full = data.full = file.full = 0;
    value_count = tensor_count = random_state = 0;
    for (char *line = source, *end; line; line = end) {
        if ((end = strchr(line, '\n')) != NULL) *end++ = 0;
        graph *g = line[0] == 'L' ? &lungs : line[0] == 'D' ? &diagnosis : NULL;
        if (line[0] == 'N') put_numbers(line + 1);
        if (line[0] == 'S') sscanf(line + 1, "%f %f", &step, &zero);
        if (!g || g->count == GRAPH_MAX_LAYERS) continue;
        g->lines[g->count] = (text){line + 1, strlen(line + 1)};
        g->steps[g->count] = step, g->zeros[g->count++] = zero;
    }
    put_graph(&lungs);
    int labels = put_graph(&diagnosis);
    put_array("pleura.labels", GGUF_VALUE_TYPE_STRING, (uint64_t)labels);
    for (int i = 0; i < labels; i++) put_text(&values, "label", 5);
    put_text(&values, "general.architecture", 20), put32(&values, GGUF_VALUE_TYPE_STRING),
        put_text(&values, "pleura", 6);
    value_count++;
    put(&file, "GGUF\3\0\0", 8);
    put64(&file, tensor_count), put64(&file, value_count);
    put(&file, values.bytes, values.size), put(&file, tensors.bytes, tensors.size);
    while (file.size % 32 && !file.full) put(&file, "", 1);
    put(&file, data.bytes, data.size);
    return !(values.full || tensors.full || data.full || file.full);
}

/* What one run of both networks takes, and what it looks like. */
static uint64_t describe(pleura_engine *e)
{
    uint64_t work = 0;
    pleura_layer l;
    for (int g = PLEURA_LUNGS; g <= PLEURA_DIAGNOSIS; g++)
        for (int i = 0; pleura_describe_layer(e, &l, (pleura_graph)g, i); i++)
            work += l.macs + (uint64_t)l.h * (uint64_t)l.w * (uint64_t)l.c_stride * 16;
    return work;
}

static void look_up(const pleura_engine *e)
{
    static const char *const keys[] = {"pleura.labels", "pleura.prior", "general.name", "general.alignment",
                                       "pleura.temperature"};
    static const size_t indices[] = {0, 1, 2, 1000, (size_t)1 << 30, (size_t)1 << 60};
    const char *at;
    size_t size;
    double v;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        for (size_t i = 0; i < sizeof indices / sizeof *indices; i++) {
            if (pleura_text(e, &at, &size, keys[k], indices[i])) assert(!memchr(at, 0, size) || size);
            pleura_number(e, &v, keys[k], indices[i]);
        }
}

/* The bits of a diagnosis; *finite: whether they stand for numbers. */
static uint64_t run(pleura_engine *e, int *finite)
{
    static uint8_t rgba[SIDE * SIDE * 4];
    pleura_result r;
    for (int i = 0; i < SIDE * SIDE * 4; i++) rgba[i] = (uint8_t)(i * i >> 9 ^ i >> 4);
    assert(pleura_diagnose_rgba(e, &r, rgba, SIDE, SIDE) == PLEURA_OK);
    assert(r.label_count >= 1 && r.label_count <= LABELS && r.top_label >= 0 && r.top_label < r.label_count);
    assert(r.verdict >= PLEURA_REFUSED && r.verdict < r.label_count);
    *finite = isfinite(r.gate_score);
    for (int i = 0; i < r.label_count; i++) *finite = *finite && isfinite(r.logits[i]) && isfinite(r.probability[i]);
    for (int i = 0; i < r.map_side * r.map_side; i++)
        *finite = *finite && isfinite(r.lungs[i]) && isfinite(r.heatmap[i]);
    return r.bits;
}

/* Both tables of kernels give the same bits. */
static void try_weights(const uint8_t *bytes, size_t size)
{
    pleura_engine *e[2];
    uint64_t bits[2];
    int finite[2];
    if (pleura_open(e, bytes, size, PLEURA_SIMD)) return;
    look_up(e[0]);
    if (describe(e[0]) <= MOST_WORK) {
        assert(pleura_open(e + 1, bytes, size, PLEURA_REFERENCE) == PLEURA_OK);
        for (int i = 0; i < 2; i++) bits[i] = run(e[i], finite + i);
        assert(pleura_self_test(e[0]) == pleura_self_test(e[1]));
        assert(finite[0] == finite[1] && (!finite[0] || bits[0] == bits[1]));
        pleura_close(e[1]);
    }
    pleura_close(e[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size >= 4 && memcmp(bytes, "GGUF", 4) == 0) {
        if (as_file) try_weights(bytes, size);
        return 0;
    }
    if (!as_text) return 0;
    char *source = malloc(size + 1);
    memcpy(source, bytes, size);
    source[size] = 0;
    if (compile(source)) {
        uint8_t *exact = malloc(file.size); /* so that a read past its end is seen */
        memcpy(exact, file.bytes, file.size);
        try_weights(exact, file.size);
        free(exact);
    }
    free(source);
    return 0;
}
