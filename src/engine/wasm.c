/* wasm.c - the exports of pleura.wasm; the only C file that knows WebAssembly. node.c compiles them for Node.
 *
 * One module instance is one engine. JavaScript calls input(size) and writes its bytes there. Then it calls load() or a
 * diagnosis, which returns a pleura_status and frees the input. Before the next call it copies the results from the
 * addresses that the getters return. */
#include <stdlib.h>
#include <string.h>

#include "engine/inspect.h"
#include "image/film.h"

/* All that an engine and its JavaScript share. */
typedef struct {
    pleura_engine *engine;
    pleura_result result;
    void *buffer;  /* the memory of the last input() */
    void *weights; /* the buffer of load(), kept as long as the engine */

    void *view_pixels;
    pleura_status view_outcome;
    uint16_t view_range[2];

    const char *found_text; /* of the last text() */
    size_t found_text_size;
    pleura_layer found_layer; /* of the last layer() */

    film_samples decoded; /* of the last decode_jpeg() */
    int decoded_bits;
} instance;

#ifndef EXPORT
#define EXPORT(name) __attribute__((export_name(#name))) name
static instance only;
static instance *const self = &only;
#else
static _Thread_local instance *self; /* node.c has many, and sets this before each call */
#endif

/* Returns size bytes for the caller to fill, or 0 if memory is short. Frees the last input. */
void *EXPORT(input)(size_t size)
{
    free(self->buffer);
    return self->buffer = malloc(size ? size : 1);
}

static void free_input(void)
{
    free(self->buffer);
    self->buffer = NULL;
}

/* Opens the engine on the input, which is GGUF weights, and runs the self-test if asked. Works once per instance. */
int EXPORT(load)(size_t size, int reference, int self_test)
{
    if (self->engine) return PLEURA_MODEL_UNSUPPORTED;
    self->weights = self->buffer;
    self->buffer = NULL;
    pleura_status status = pleura_open(&self->engine, self->weights, size, reference ? PLEURA_REFERENCE : PLEURA_SIMD);
    if (!status && self_test) status = pleura_self_test(self->engine);
    return status;
}

int EXPORT(diagnose)(size_t size)
{
    pleura_status status = pleura_diagnose(self->engine, &self->result, self->buffer, size);
    free_input();
    return status;
}

int EXPORT(diagnose_rgba)(int width, int height)
{
    pleura_status status = pleura_diagnose_rgba(self->engine, &self->result, self->buffer, width, height);
    free_input();
    return status;
}

/* The input is the table of 65536 greys, followed by the 16-bit samples. */
int EXPORT(diagnose_samples)(int width, int height, int channels, int tag_reason)
{
    const uint16_t *table = self->buffer;
    pleura_status status = pleura_diagnose_samples(self->engine, &self->result,
                                                   &(pleura_samples){.values = table + 65536,
                                                                     .width = width,
                                                                     .height = height,
                                                                     .channels = channels,
                                                                     .table = table,
                                                                     .tag_reason = (pleura_gate)tag_reason});
    free_input();
    return status;
}

/* Checks the size limits before a film is unpacked. Any numbers are allowed. */
int EXPORT(check_size)(double width, double height)
{
    double max = IMAGE_MAX_SIDE + 1;
    return image_check_size(width > 0 ? (int64_t)(width < max ? width : max) : 0,
                            height > 0 ? (int64_t)(height < max ? height : max) : 0);
}

/* Decodes the input, a JPEG. The jpeg_ getters describe it until the next one or end_jpeg(). */
int EXPORT(decode_jpeg)(size_t size)
{
    free((void *)self->decoded.values);
    self->decoded = (film_samples){0};
    pleura_status status = samples_from_jpeg(&self->decoded, &self->decoded_bits, self->buffer, size);
    free_input();
    return status;
}
int EXPORT(jpeg_width)(void) { return self->decoded.width; }
int EXPORT(jpeg_height)(void) { return self->decoded.height; }
int EXPORT(jpeg_channels)(void) { return self->decoded.channels; }
int EXPORT(jpeg_bits)(void) { return self->decoded_bits; }
const uint16_t *EXPORT(jpeg_values)(void) { return self->decoded.values; }
void EXPORT(end_jpeg)(void)
{
    free((void *)self->decoded.values);
    self->decoded = (film_samples){0};
}

int EXPORT(diagnose_phantom)(void) { return pleura_diagnose_phantom(self->engine, &self->result); }

/* The input is one share per label; count 0 returns to the weights' own prior. */
int EXPORT(set_prevalence)(int count)
{
    pleura_status status = pleura_set_prevalence(self->engine, count ? self->buffer : NULL, count);
    free_input();
    return status;
}

/* Reclassifies an earlier film of these weights. The input is its logits; verdict() and probability() then belong to
 * it.
 */
void EXPORT(judge)(int gate)
{
    pleura_result earlier = {.logits = self->buffer, .gate = (pleura_gate)gate};
    pleura_reclassify(self->engine, &earlier);
    self->result.verdict = earlier.verdict;
    self->result.doubt = earlier.doubt;
    self->result.probability = earlier.probability;
    free_input();
}

int EXPORT(verdict)(void) { return self->result.verdict; }
const float *EXPORT(logits)(void) { return self->result.logits; }
const float *EXPORT(probability)(void) { return self->result.probability; }
int EXPORT(gate)(void) { return self->result.gate; }
float EXPORT(gate_score)(void) { return self->result.gate_score; }
int EXPORT(width)(void) { return self->result.width; }
int EXPORT(height)(void) { return self->result.height; }
int EXPORT(evidence)(void) { return self->result.top_label; }
int EXPORT(map_side)(void) { return self->result.map_side; }
int EXPORT(doubt)(void) { return self->result.doubt; }
int EXPORT(quarter_turns)(void) { return self->result.quarter_turns; }
int EXPORT(map_kind)(void) { return self->result.map_kind; }
const float *EXPORT(extent)(void) { return self->result.extent; }
const float *EXPORT(lungs_map)(void) { return self->result.lungs; }
const float *EXPORT(heatmap)(void) { return self->result.heatmap; }
uint32_t EXPORT(bits_high)(void) { return (uint32_t)(self->result.bits >> 32); }
uint32_t EXPORT(bits_low)(void) { return (uint32_t)self->result.bits; }

/* Replaces the pixels of the last view by space for a new one. */
static pleura_status reserve_view(int width, int height, size_t item)
{
    free(self->view_pixels);
    self->view_pixels = NULL;
    if (width < 1 || height < 1 || width > IMAGE_MAX_PIXELS / height) return PLEURA_IMAGE_TOO_LARGE;
    self->view_pixels = malloc((size_t)width * (size_t)height * item);
    return self->view_pixels ? PLEURA_OK : PLEURA_MEMORY;
}

/* Whether the engine holds a film, so that it has a view and features. */
int EXPORT(has_film)(void) { return self->engine && pleura_has_film(self->engine); }

/* The film as grey bytes [height][width], valid until the next view; on failure 0, and view_status() is the reason. */
const uint8_t *EXPORT(view)(int width, int height)
{
    self->view_outcome = reserve_view(width, height, sizeof(uint8_t));
    if (!self->view_outcome) self->view_outcome = pleura_view(self->engine, self->view_pixels, width, height);
    return self->view_outcome ? NULL : self->view_pixels;
}

/* The same at full depth, 16 bits per pixel; view() spreads the greys from greys_low() to greys_high(). */
const uint16_t *EXPORT(greys)(int width, int height)
{
    self->view_outcome = reserve_view(width, height, sizeof(uint16_t));
    if (!self->view_outcome)
        self->view_outcome = pleura_greys(self->engine, self->view_pixels, self->view_range, width, height);
    return self->view_outcome ? NULL : self->view_pixels;
}

/* The class activation map of a label, [map_side][map_side], valid until the next view; on failure 0, and view_status()
 * is the reason. */
const float *EXPORT(class_map)(int label)
{
    self->view_outcome = reserve_view(self->result.map_side, self->result.map_side, sizeof(float));
    if (!self->view_outcome) self->view_outcome = pleura_class_map(self->engine, self->view_pixels, label);
    return self->view_outcome ? NULL : self->view_pixels;
}

/* The pleura_status of the last view(), greys() or class_map(). */
int EXPORT(view_status)(void) { return self->view_outcome; }
int EXPORT(greys_low)(void) { return self->view_range[0]; }
int EXPORT(greys_high)(void) { return self->view_range[1]; }

/* The text of text_size() bytes at `index` under the key that is the zero-terminated input; NULL if there is none. */
const char *EXPORT(text)(size_t index)
{
    return pleura_text(self->engine, &self->found_text, &self->found_text_size, self->buffer, index) ? self->found_text
                                                                                                     : NULL;
}
size_t EXPORT(text_size)(void) { return self->found_text_size; }

/* The number at `index` under the key that is the zero-terminated input; NaN if there is none. */
double EXPORT(number)(size_t index)
{
    double v;
    return pleura_number(self->engine, &v, self->buffer, index) ? v : __builtin_nan("");
}

/* Layer `number` of graph 0 (lungs) or 1 (diagnosis), for the layer_ getters. Returns 0 if there is none. */
int EXPORT(layer)(int graph, int number)
{
    return pleura_describe_layer(self->engine, &self->found_layer, (pleura_graph)graph, number);
}
const char *EXPORT(layer_name)(void) { return self->found_layer.name; }
size_t EXPORT(layer_name_size)(void) { return self->found_layer.name_size; }
int EXPORT(layer_h)(void) { return self->found_layer.h; }
int EXPORT(layer_w)(void) { return self->found_layer.w; }
int EXPORT(layer_c)(void) { return self->found_layer.c; }
int EXPORT(layer_lanes)(void) { return self->found_layer.c_stride; }
int EXPORT(layer_bytes)(void) { return self->found_layer.is_int8; }
double EXPORT(layer_products)(void) { return (double)self->found_layer.macs; }
void *EXPORT(layer_out)(void) { return self->found_layer.out; }
void EXPORT(run_layer)(int graph, int number) { pleura_run_layer(self->engine, (pleura_graph)graph, number); }

/* Fills layer 0 of a graph from the input, which is a film. */
int EXPORT(prepare)(int graph, size_t size)
{
    pleura_status status = pleura_prepare(self->engine, (pleura_graph)graph, self->buffer, size);
    free_input();
    return status;
}

/* `products` is an index in the table of functions. */
int EXPORT(offer_products)(pleura_products *products) { return pleura_offer_products(self->engine, products); }

/* Zero-terminated codes and sentences, and how long one is. */
size_t EXPORT(text_length)(const char *s) { return strlen(s); }
const char *EXPORT(status_code)(int status) { return pleura_status_code(status); }
const char *EXPORT(status_text)(int status) { return pleura_status_text(status); }
const char *EXPORT(gate_code)(int gate) { return pleura_gate_code(gate); }
const char *EXPORT(gate_text)(int gate) { return pleura_gate_text(gate); }
const char *EXPORT(doubt_code)(int doubt) { return pleura_doubt_code(doubt); }
const char *EXPORT(doubt_text)(int doubt) { return pleura_doubt_text(doubt); }
