/* inspect.h - access to the layers of both networks, for the profiler, the quantiser, the training and the wasm face.
 *
 * Not installed: programs need pleura.h alone. The contract is the same: one engine serves one thread, and a function
 * that fails leaves its results untouched. */
#ifndef PLEURA_INSPECT_H
#define PLEURA_INSPECT_H

#include "pleura.h"

/* Whether the engine holds a film, so that it has a view and features. */
int pleura_has_film(const pleura_engine *e);

typedef enum { PLEURA_LUNGS, PLEURA_DIAGNOSIS } pleura_graph;

typedef struct {
    const char *name; /* name_size bytes, not terminated; lives as long as the weights */
    size_t name_size;
    int h, w, c;   /* output */
    int c_stride;  /* values per pixel of the output: c, padded */
    int is_int8;   /* whether the output is uint8_t instead of float */
    uint64_t macs; /* multiply-accumulates by the layer's definition; 0 without weights */
    void *out;     /* [h][w][c_stride]; its memory is reused once the layers that read it have run */
} pleura_layer;

/* Describes layer `number`, counted from 0. Returns 0 if there is none. */
int pleura_describe_layer(pleura_engine *e, pleura_layer *out, pleura_graph graph, int number);

/* Decodes a film, keeps it and fills the network's input as a diagnosis does. PLEURA_LUNGS sees the whole film;
 * PLEURA_DIAGNOSIS runs the lungs network first. Fails like pleura_diagnose. */
pleura_status pleura_prepare(pleura_engine *e, pleura_graph graph, const void *file, size_t size);

/* Runs one layer on the outputs of the layers before it. Layer 0 does nothing: its `out` is the network's input, which
 * the caller may fill with any tensor before each run. */
void pleura_run_layer(pleura_engine *e, pleura_graph graph, int number);

/* An int8 dot product for four pixels and two blocks of four channels at a time, pixels % 4 == 0:
 * sums[pixels][8] = panel[pixels][4 * quads], each 0..127, times w0[quads][4][4] and w1[quads][4][4]. */
typedef void pleura_products(int32_t *sums, const void *panel, const int8_t *w0, const int8_t *w1, int quads,
                             int pixels);

/* Offers a dot product that is faster than the built-in one. Returns 1 if the engine takes it, after it has given the
 * known answers of a test; no result changes. */
int pleura_offer_products(pleura_engine *e, pleura_products *products);

/* sizeof film, lungs, crop_settings, pleura_result, pleura_samples and pleura_layer: model/training/engine.py mirrors
 * these structs and compares the sizes. Not in the wasm. */
extern const int pleura_struct_sizes[6];

#endif
