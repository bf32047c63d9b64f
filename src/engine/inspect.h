/* inspect.h - the layers of an engine's two networks, for the profiler, the quantiser, the training and the wasm face.
 *
 * Not installed: programs need pleura.h alone. The contract is the same: one engine serves one thread, and a function
 * that fails leaves its results untouched. */
#ifndef PLEURA_INSPECT_H
#define PLEURA_INSPECT_H

#include "pleura.h"

/* Whether the engine holds a film, so that it has a view and features. */
int pleura_has_film(const pleura_engine *e);

/* One layer of one of the two networks. */
typedef enum { PLEURA_LUNGS, PLEURA_DIAGNOSIS } pleura_graph;

typedef struct {
    const char *name; /* not terminated; lives as long as the weights */
    size_t name_size;
    int h, w, c;       /* output */
    int lanes;         /* values from pixel to pixel of the output: c, padded */
    int bytes;         /* whether the output is bytes instead of floats */
    uint64_t products; /* that its definition counts; 0 for a layer without weights */
    void *out;         /* [h][w][lanes], shared with other layers: valid while the layers run that read it */
} pleura_layer;

/* Describes layer `number`, from 0. Returns 0 when there is none. */
int pleura_describe_layer(pleura_engine *e, pleura_layer *out, pleura_graph graph, int number);

/* Fills a network's input from a film: that of the lungs with the whole film, that of the diagnosis as a diagnosis
 * does. */
pleura_status pleura_prepare(pleura_engine *e, pleura_graph graph, const void *file, size_t size);

/* Runs one layer on the outputs of those before it: for profiles, and for tensors that are no films. Layer 0 does
 * nothing; its `out` is the network's input, to be filled before each run. */
void pleura_run_layer(pleura_engine *e, pleura_graph graph, int number);

/* Offers products of bytes that are faster than those compiled in: sums[pixels][8] = for each pixel of panel[pixels][4
 * * quads], 0..127, its products with w0[quads][4][4] and w1[quads][4][4]; pixels % 4 == 0. Returns 1 when they are
 * taken: they gave the known answers, so that no bit of any result changes. */
typedef void pleura_products(int32_t *sums, const void *panel, const int8_t *w0, const int8_t *w1, int quads,
                             int pixels);
int pleura_offer_products(pleura_engine *e, pleura_products *products);

/* sizeof film, lungs, pleura_result, pleura_samples and pleura_layer: model/training/engine.py restates these structs
 * and compares. */
extern const int pleura_struct_sizes[5];

#endif
