/* gguf.c - one walk checks the whole file; every look-up then walks it again.
 *
 * The searches are linear. A few hundred of them happen while a model is loaded, none while it runs. */
#include "nn/gguf.h"

#include <string.h>

/* Bytes of one value; those of strings and arrays vary. */
static const uint8_t value_size[GGUF_VALUE_TYPES] = {
    [GGUF_VALUE_TYPE_UINT8] = 1,   [GGUF_VALUE_TYPE_INT8] = 1,   [GGUF_VALUE_TYPE_UINT16] = 2,
    [GGUF_VALUE_TYPE_INT16] = 2,   [GGUF_VALUE_TYPE_UINT32] = 4, [GGUF_VALUE_TYPE_INT32] = 4,
    [GGUF_VALUE_TYPE_FLOAT32] = 4, [GGUF_VALUE_TYPE_BOOL] = 1,   [GGUF_VALUE_TYPE_UINT64] = 8,
    [GGUF_VALUE_TYPE_INT64] = 8,   [GGUF_VALUE_TYPE_FLOAT64] = 8};

/* Q8_0: a block is a scale in F16, then 32 weights in int8. */
enum { MAX_DIMS = 5, MAX_NESTING = 8, BLOCK = 32, BLOCK_SIZE = 34 };

typedef struct {
    const uint8_t *at;
    size_t left;
    int bad; /* a read went past the end; whatever was read since is zero */
} reader;

/* The next n bytes, or NULL at the end. The only code that moves `at`. */
static const uint8_t *take(reader *r, uint64_t n)
{
    if (n > r->left) {
        r->bad = 1;
        r->left = 0;
        return NULL;
    }
    const uint8_t *bytes = r->at;
    r->at += n;
    r->left -= (size_t)n;
    return bytes;
}

static uint64_t take_number(reader *r, size_t n)
{
    uint64_t v = 0;
    const uint8_t *bytes = take(r, n);
    if (bytes) memcpy(&v, bytes, n);
    return v;
}

static text take_text(reader *r)
{
    uint64_t size = take_number(r, 8);
    const uint8_t *bytes = take(r, size);
    return bytes ? (text){(const char *)bytes, (size_t)size} : (text){"", 0};
}

typedef struct {
    text key;
    uint32_t type;  /* of the elements */
    uint64_t count; /* 1 unless it is an array */
    const uint8_t *data;
    size_t size; /* bytes of data */
} value;

/* Moves past `count` values of a type. Pleura's keys hold no arrays of arrays, but those of others may. */
static void skip_values(reader *r, uint32_t type, uint64_t count, int nesting)
{
    if (type == GGUF_VALUE_TYPE_STRING) {
        for (uint64_t i = 0; i < count && !r->bad; i++) take_text(r);
    } else if (type == GGUF_VALUE_TYPE_ARRAY && nesting < MAX_NESTING) {
        for (uint64_t i = 0; i < count && !r->bad; i++) {
            uint32_t of = (uint32_t)take_number(r, 4);
            skip_values(r, of, take_number(r, 8), nesting + 1);
        }
    } else if (type >= GGUF_VALUE_TYPES || type == GGUF_VALUE_TYPE_ARRAY || count > r->left) {
        r->bad = 1;
    } else {
        take(r, count * value_size[type]);
    }
}

static value take_value(reader *r)
{
    value v = {.key = take_text(r), .count = 1};
    v.type = (uint32_t)take_number(r, 4);
    if (v.type == GGUF_VALUE_TYPE_ARRAY) {
        v.type = (uint32_t)take_number(r, 4);
        v.count = take_number(r, 8);
    }
    v.data = r->at;
    skip_values(r, v.type, v.count, 0);
    v.size = (size_t)(r->at - v.data);
    return v;
}

typedef struct {
    text name;
    tensor shape;
    uint64_t offset, size;
} description;

/* Reads and checks all but the position of the data, which gguf_open checks once it knows where the data begins. */
static description take_description(reader *r)
{
    description d = {.name = take_text(r), .shape = {.count = 1, .dims = {1, 1, 1, 1}}};
    uint32_t dims = (uint32_t)take_number(r, 4), joined = dims == MAX_DIMS; /* the first two of five dimensions */
    if (dims > MAX_DIMS) r->bad = 1;
    for (uint32_t i = 0; i < dims && !r->bad; i++) {
        uint64_t n = take_number(r, 8);
        if (n == 0 || n > INT32_MAX || d.shape.count > INT32_MAX / n) r->bad = 1;
        else d.shape.count *= n, d.shape.dims[i && joined ? i - 1 : i] *= n;
    }
    uint32_t type = (uint32_t)take_number(r, 4);
    d.offset = take_number(r, 8);
    d.shape.type = (tensor_type)type;
    switch (type) {
    case TENSOR_F32: d.size = d.shape.count * 4; break;
    case TENSOR_F16: d.size = d.shape.count * 2; break;
    case TENSOR_I8: d.size = d.shape.count; break;
    case TENSOR_Q8_0:
        d.size = d.shape.count / BLOCK * BLOCK_SIZE;
        if (d.shape.dims[0] % BLOCK) r->bad = 1;
        break;
    default: break; /* nothing reads it, so its size does not matter */
    }
    return d;
}

pleura_status gguf_open(gguf *out, const uint8_t *bytes, size_t size)
{
    if (size < 8 || memcmp(bytes, "GGUF", 4) != 0) return PLEURA_NOT_MODEL;
    reader r = {bytes + 4, size - 4, 0};
    if (take_number(&r, 4) != 3) return PLEURA_MODEL_VERSION;
    gguf g = {.bytes = bytes, .size = size};
    g.tensor_count = take_number(&r, 8);
    g.value_count = take_number(&r, 8);
    g.values = size - r.left;
    for (uint64_t i = 0; i < g.value_count && !r.bad; i++) take_value(&r);
    g.tensors = size - r.left;
    for (uint64_t i = 0; i < g.tensor_count && !r.bad; i++) take_description(&r);
    if (r.bad) return PLEURA_MODEL_DAMAGED;
    double alignment = 32; /* the default of the format */
    gguf_number(&alignment, &g, "general.alignment", 0);
    if (!(alignment >= 1 && alignment <= 65536)) return PLEURA_MODEL_DAMAGED;
    size_t unit = (size_t)alignment, end = size - r.left;
    if (g.tensor_count == 0) g.data = size;
    else g.data = (end + unit - 1) / unit * unit;
    if (g.data > size) return PLEURA_MODEL_DAMAGED;
    r = (reader){bytes + g.tensors, end - g.tensors, 0};
    for (uint64_t i = 0; i < g.tensor_count; i++) {
        description d = take_description(&r);
        uint64_t space = size - g.data;
        if (d.size > space || d.offset > space - d.size) return PLEURA_MODEL_DAMAGED;
    }
    *out = g;
    return PLEURA_OK;
}

int text_equals(text t, const char *s) { return strlen(s) == t.size && memcmp(t.at, s, t.size) == 0; }

/* snprintf would add 7 KB to pleura.wasm. */
void gguf_graph_key(char key[GGUF_MAX_KEY], const char *graph, const char *part)
{
    const char *const pieces[] = {"pleura.", graph, ".", part};
    size_t size = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        for (const char *at = pieces[i]; *at && size + 1 < GGUF_MAX_KEY; at++) key[size++] = *at;
    key[size] = 0;
}

static int find(value *out, const gguf *g, const char *key)
{
    reader r = {g->bytes + g->values, g->size - g->values, 0};
    for (uint64_t i = 0; i < g->value_count; i++) {
        *out = take_value(&r);
        if (text_equals(out->key, key)) return 1;
    }
    return 0;
}

uint64_t gguf_count(const gguf *g, const char *key)
{
    value v;
    return find(&v, g, key) ? v.count : 0;
}

int gguf_text(text *out, const gguf *g, const char *key, uint64_t index)
{
    value v;
    if (!find(&v, g, key) || v.type != GGUF_VALUE_TYPE_STRING || index >= v.count) return 0;
    reader r = {v.data, v.size, 0};
    for (; index; index--) take_text(&r);
    *out = take_text(&r);
    return 1;
}

int gguf_number(double *out, const gguf *g, const char *key, uint64_t index)
{
    value v;
    if (!find(&v, g, key) || index >= v.count) return 0;
    if (v.type == GGUF_VALUE_TYPE_STRING || v.type == GGUF_VALUE_TYPE_ARRAY) return 0;
    size_t n = value_size[v.type];
    const uint8_t *at = v.data + index * n;
    uint64_t bits = 0;
    memcpy(&bits, at, n);
    switch (v.type) {
    case GGUF_VALUE_TYPE_FLOAT32: {
        float f;
        memcpy(&f, at, 4);
        *out = f;
        break;
    }
    case GGUF_VALUE_TYPE_FLOAT64: memcpy(out, at, 8); break;
    case GGUF_VALUE_TYPE_INT8: *out = (int8_t)bits; break;
    case GGUF_VALUE_TYPE_INT16: *out = (int16_t)bits; break;
    case GGUF_VALUE_TYPE_INT32: *out = (int32_t)bits; break;
    case GGUF_VALUE_TYPE_INT64: *out = (double)(int64_t)bits; break;
    default: *out = (double)bits;
    }
    return 1;
}

static int is_known(tensor_type type)
{
    return type == TENSOR_F32 || type == TENSOR_F16 || type == TENSOR_Q8_0 || type == TENSOR_I8;
}

int gguf_tensor(tensor *out, const gguf *g, const char *graph, text layer, const char *part)
{
    size_t a = strlen(graph), b = strlen(part);
    reader r = {g->bytes + g->tensors, g->size - g->tensors, 0};
    for (uint64_t i = 0; i < g->tensor_count; i++) {
        description d = take_description(&r);
        const char *name = d.name.at;
        if (d.name.size != a + layer.size + b + 2 || memcmp(name, graph, a) != 0 || name[a] != '.' ||
            memcmp(name + a + 1, layer.at, layer.size) != 0 || name[a + 1 + layer.size] != '.' ||
            memcmp(name + a + 2 + layer.size, part, b) != 0 || !is_known(d.shape.type))
            continue;
        *out = d.shape;
        out->data = g->bytes + g->data + d.offset;
        return 1;
    }
    return 0;
}

/* IEEE 754 binary16 to binary32, exact; infinities and NaN keep their exponent. */
static uint32_t half_bits(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31) return sign | 0x7f800000 | fraction << 13;
    if (exponent) return sign | (exponent + 112) << 23 | fraction << 13;
    if (!fraction) return sign;
    for (exponent = 113; !(fraction & 1024); exponent--) fraction <<= 1; /* subnormal */
    return sign | exponent << 23 | (fraction & 1023) << 13;
}

static float half_at(const uint8_t *data)
{
    uint16_t half;
    memcpy(&half, data, sizeof half);
    uint32_t bits = half_bits(half);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static float value_at(const tensor *t, uint64_t i)
{
    if (t->type == TENSOR_F16) return half_at(t->data + 2 * i);
    if (t->type == TENSOR_Q8_0) {
        const uint8_t *block = t->data + i / BLOCK * BLOCK_SIZE;
        return half_at(block) * (float)(int8_t)block[2 + i % BLOCK];
    }
    float v;
    memcpy(&v, t->data + 4 * i, sizeof v);
    return v;
}

int gguf_to_float(float *out, const tensor *t)
{
    if (t->type == TENSOR_I8) return 0;
    for (uint64_t i = 0; i < t->count; i++) {
        out[i] = value_at(t, i);
        if (!(out[i] - out[i] == 0)) return 0; /* infinity or NaN */
    }
    return 1;
}
