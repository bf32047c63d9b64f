/* gguf.h - bounds-checked reader of GGUF version 3 (the file format of ggml), without any allocation.
 *
 * gguf_open measures every byte that later calls touch; they cannot fail in any other way than "not there".
 * The reader points into the caller's bytes, which must outlive it. Little-endian machines only, as the format.
 *
 * Pleura's keys begin with "pleura.": graphs are described in graph.h, the rest in pleura.c.
 * A layer's tensors are "<graph>.<layer>.weight" and "<graph>.<layer>.bias", packed as kernels.h wants them:
 * weight {4, cin, k, k, cout/4} and bias {cout} in GGUF's order of dimensions, which begins with the innermost; weights
 * in Q8_0, whose rows are whole blocks of 32, {4 * cin * k * k, cout/4}. Byte layers have an I8 weight as int8.h wants
 * it, {16, quads, cout/4} or depthwise {4, k * k, c/4}, and "scale" {cout}. */
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

typedef enum { TENSOR_F32 = 0, TENSOR_F16 = 1, TENSOR_Q8_0 = 8, TENSOR_I8 = 24 } tensor_kind; /* ggml's numbers */

typedef struct {
    uint64_t count;   /* elements */
    uint64_t dims[5]; /* innermost first, 1 beyond the tensor's own */
    tensor_kind kind;
    const uint8_t *data; /* maybe unaligned */
} tensor;

pleura_status gguf_open(gguf *out, const uint8_t *bytes, size_t size);

/* Text or number `index` of an array, or the value itself at index 0. 0 when it is not there or of another kind. */
int gguf_text(text *out, const gguf *g, const char *key, uint64_t index);
int gguf_number(double *out, const gguf *g, const char *key, uint64_t index);

/* Elements under the key: 0 when it is not there, 1 for a plain value. */
uint64_t gguf_count(const gguf *g, const char *key);

/* The tensor named "<graph>.<layer>.<part>"; 0 when it is not there. */
int gguf_tensor(tensor *out, const gguf *g, const char *graph, text layer, const char *part);

/* Widens all elements to out[t->count]; 0 when one of them is not finite or they are whole numbers. */
int gguf_to_float(float *out, const tensor *t);

#endif
