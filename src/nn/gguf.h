/* gguf.h - a bounds-checked reader of GGUF version 3, the file format of ggml. Never allocates.
 *
 * gguf_open checks every byte that later calls read; after that they can only report "not found". The reader points
 * into the caller's bytes, which must outlive it. Little-endian machines only, like the format.
 *
 * Pleura's keys begin with "pleura.": graph.h describes the graphs, engine/model.c reads the rest. A layer has the
 * tensors "<graph>.<layer>.weight" and "<graph>.<layer>.bias", packed as f32.h says. With GGUF's order of dimensions,
 * innermost first, a weight is {4 * cin, k, k, cout/4} and a bias {cout}; ggml reads at most four dimensions. A Q8_0
 * weight is {4 * cin * k * k, cout/4}, so that its rows are whole blocks of 32. A layer that reads int8 has an I8 weight
 * as int8.h says, {16, quads, cout/4} or depthwise {4, k * k, c/4}, and "<graph>.<layer>.scale" {cout}. Files written
 * before version 0.4 have weights of five dimensions, {4, cin, k, k, cout/4}; the reader joins the first two. */
#ifndef PLEURA_GGUF_H
#define PLEURA_GGUF_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct {
    const uint8_t *bytes;
    size_t size, values, tensors, data; /* offsets: first key, first tensor description, tensor data */
    uint64_t value_count, tensor_count;
} gguf;

typedef struct {
    const char *at; /* not terminated */
    size_t size;
} text;

int text_equals(text t, const char *s);

enum { GGUF_MAX_KEY = 64 };

/* key = "pleura.<graph>.<part>", cut off if it is too long. */
void gguf_graph_key(char key[GGUF_MAX_KEY], const char *graph, const char *part);

/* The types of values, by the names and numbers of the format. */
enum {
    GGUF_VALUE_TYPE_UINT8,
    GGUF_VALUE_TYPE_INT8,
    GGUF_VALUE_TYPE_UINT16,
    GGUF_VALUE_TYPE_INT16,
    GGUF_VALUE_TYPE_UINT32,
    GGUF_VALUE_TYPE_INT32,
    GGUF_VALUE_TYPE_FLOAT32,
    GGUF_VALUE_TYPE_BOOL,
    GGUF_VALUE_TYPE_STRING,
    GGUF_VALUE_TYPE_ARRAY,
    GGUF_VALUE_TYPE_UINT64,
    GGUF_VALUE_TYPE_INT64,
    GGUF_VALUE_TYPE_FLOAT64,
    GGUF_VALUE_TYPES /* how many there are */
};

/* The types that the engine reads, by ggml's numbers. A file may hold tensors of other types, which it leaves alone. */
typedef enum { TENSOR_F32 = 0, TENSOR_F16 = 1, TENSOR_Q8_0 = 8, TENSOR_I8 = 24 } tensor_type;

typedef struct {
    uint64_t count;   /* elements */
    uint64_t dims[4]; /* innermost first, padded with 1 */
    tensor_type type;
    const uint8_t *data; /* may be unaligned */
} tensor;

/* PLEURA_NOT_MODEL, PLEURA_MODEL_VERSION or PLEURA_MODEL_DAMAGED if the file cannot be read. */
pleura_status gguf_open(gguf *out, const uint8_t *bytes, size_t size);

/* Text or number `index` of an array, or the value itself at index 0. Return 0 if there is none of that type. */
int gguf_text(text *out, const gguf *g, const char *key, uint64_t index);
int gguf_number(double *out, const gguf *g, const char *key, uint64_t index);

/* The length of the array under the key: 1 for a plain value, 0 if there is none. */
uint64_t gguf_count(const gguf *g, const char *key);

/* The tensor "<graph>.<layer>.<part>"; returns 0 if there is none of a type that the engine reads. */
int gguf_tensor(tensor *out, const gguf *g, const char *graph, text layer, const char *part);

/* Converts all elements to out[t->count]; returns 0 if one is not finite, or if the tensor holds integers. */
int gguf_to_float(float *out, const tensor *t);

#endif
