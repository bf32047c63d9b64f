/* wasm.c - the exports of pleura.wasm; the only file that knows WebAssembly.
 *
 * One module instance is one engine. JavaScript asks for input(size), writes there, then calls load or a diagnosis,
 * which return a status; then it reads results at the addresses below, before the next call. */
#include <stdlib.h>

#include "engine/inspect.h"
#include "image/film.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

static pleura_engine *engine;
static pleura_result result;
static void *buffer;  /* what input() gave last */
static void *weights; /* the buffer that load() has kept */
static void *view_pixels;
static pleura_status view_outcome;
static uint16_t view_range[2];
static const char *found_at;
static size_t found_size;
static pleura_layer layer_found;
static film_samples decoded; /* what decode_jpeg gave last */
static int decoded_bits;

/* size bytes to write into, or 0 when there is no memory for them. Ends the buffer of the last call. */
void *EXPORT(input)(size_t size)
{
    free(buffer);
    return buffer = malloc(size ? size : 1);
}

static void end_input(void)
{
    free(buffer);
    buffer = NULL;
}

/* Takes the input as weights, once for each instance. */
int EXPORT(load)(size_t size, int reference)
{
    if (engine) return PLEURA_MODEL_UNSUPPORTED;
    weights = buffer;
    buffer = NULL;
    pleura_status status = pleura_open(&engine, weights, size, reference ? PLEURA_REFERENCE : PLEURA_SIMD);
    if (!status) status = pleura_self_test(engine);
    return status;
}

int EXPORT(diagnose)(size_t size)
{
    pleura_status status = pleura_diagnose(engine, &result, buffer, size);
    end_input();
    return status;
}

int EXPORT(diagnose_rgba)(int width, int height)
{
    pleura_status status = pleura_diagnose_rgba(engine, &result, buffer, width, height);
    end_input();
    return status;
}

/* The input is the table of 65536 greys, then the samples of 16 bits. */
int EXPORT(diagnose_samples)(int width, int height, int channels, int told)
{
    const uint16_t *table = buffer;
    pleura_status status = pleura_diagnose_samples(engine, &result,
                                                   &(pleura_samples){.values = table + 65536,
                                                                     .width = width,
                                                                     .height = height,
                                                                     .channels = channels,
                                                                     .table = table,
                                                                     .tag_reason = (pleura_gate)told});
    end_input();
    return status;
}

/* Whether a film may be so large, to be asked before it is unpacked: any numbers are allowed. */
int EXPORT(check_size)(double width, double height)
{
    double most = IMAGE_MAX_SIDE + 1;
    return image_check_size(width > 0 ? (int64_t)(width < most ? width : most) : 0,
                            height > 0 ? (int64_t)(height < most ? height : most) : 0);
}

/* Decodes the JPEG in the input; its facts and samples are in jpeg_*, until the next one or end_jpeg. */
int EXPORT(decode_jpeg)(size_t size)
{
    free((void *)decoded.values);
    decoded = (film_samples){0};
    pleura_status status = samples_from_jpeg(&decoded, &decoded_bits, buffer, size);
    end_input();
    return status;
}
int EXPORT(jpeg_width)(void) { return decoded.width; }
int EXPORT(jpeg_height)(void) { return decoded.height; }
int EXPORT(jpeg_channels)(void) { return decoded.channels; }
int EXPORT(jpeg_bits)(void) { return decoded_bits; }
const uint16_t *EXPORT(jpeg_values)(void) { return decoded.values; }
void EXPORT(end_jpeg)(void)
{
    free((void *)decoded.values);
    decoded = (film_samples){0};
}

int EXPORT(diagnose_phantom)(void) { return pleura_diagnose_phantom(engine, &result); }

/* The input is one share a label; count 0: the weights' own prior. */
int EXPORT(set_prevalence)(int count)
{
    pleura_status status = pleura_set_prevalence(engine, count ? buffer : NULL, count);
    end_input();
    return status;
}

/* Judges an earlier film of these weights again, whose logits are the input. verdict() and probability() are then its
 * own. */
void EXPORT(judge)(int gate)
{
    pleura_result judged = {.logits = buffer, .gate = (pleura_gate)gate};
    pleura_reclassify(engine, &judged);
    result.verdict = judged.verdict, result.probability = judged.probability;
    end_input();
}

int EXPORT(verdict)(void) { return result.verdict; }
int EXPORT(label_count)(void) { return result.label_count; }
const float *EXPORT(logits)(void) { return result.logits; }
const float *EXPORT(probability)(void) { return result.probability; }
int EXPORT(gate)(void) { return result.gate; }
float EXPORT(gate_score)(void) { return result.gate_score; }
int EXPORT(width)(void) { return result.width; }
int EXPORT(height)(void) { return result.height; }
int EXPORT(evidence)(void) { return result.top_label; }
int EXPORT(map_side)(void) { return result.map_side; }
const float *EXPORT(lungs_map)(void) { return result.lungs; }
const float *EXPORT(heatmap)(void) { return result.heatmap; }
uint32_t EXPORT(bits_high)(void) { return (uint32_t)(result.bits >> 32); }
uint32_t EXPORT(bits_low)(void) { return (uint32_t)result.bits; }

/* Replaces the pixels of the last view by space for a new one. */
static pleura_status reserve_view(int width, int height, size_t item)
{
    free(view_pixels);
    view_pixels = NULL;
    if (width < 1 || height < 1 || width > IMAGE_MAX_PIXELS / height) return PLEURA_IMAGE_TOO_LARGE;
    view_pixels = malloc((size_t)width * (size_t)height * item);
    return view_pixels ? PLEURA_OK : PLEURA_MEMORY;
}

/* Whether the engine holds a film, so that it has a view and features. */
int EXPORT(has_film)(void) { return engine && pleura_has_film(engine); }

/* The film as grey bytes [height][width], valid until the next view; on failure 0, and view_status() is the reason. */
const uint8_t *EXPORT(view)(int width, int height)
{
    view_outcome = reserve_view(width, height, sizeof(uint8_t));
    if (!view_outcome) view_outcome = pleura_view(engine, view_pixels, width, height);
    return view_outcome ? NULL : view_pixels;
}

/* The same at full depth, 16 bits per pixel; view() spreads the greys from greys_low() to greys_high(). */
const uint16_t *EXPORT(greys)(int width, int height)
{
    view_outcome = reserve_view(width, height, sizeof(uint16_t));
    if (!view_outcome) view_outcome = pleura_greys(engine, view_pixels, view_range, width, height);
    return view_outcome ? NULL : view_pixels;
}

/* The pleura_status of the last view() or greys(). */
int EXPORT(view_status)(void) { return view_outcome; }
int EXPORT(greys_low)(void) { return view_range[0]; }
int EXPORT(greys_high)(void) { return view_range[1]; }

/* Element `index` under the zero-terminated key in the input buffer; the text's address or NULL, its size from
 * text_size. */
const char *EXPORT(text)(size_t index)
{
    return pleura_text(engine, &found_at, &found_size, buffer, index) ? found_at : NULL;
}
size_t EXPORT(text_size)(void) { return found_size; }

/* The number under the key in the input buffer, NaN when there is none. */
double EXPORT(number)(size_t index)
{
    double v;
    return pleura_number(engine, &v, buffer, index) ? v : __builtin_nan("");
}

/* Layer `number` of graph 0 (lungs) or 1 (diagnosis): 0 when there is none, else its facts are in layer_*. */
int EXPORT(layer)(int graph, int number)
{
    return pleura_describe_layer(engine, &layer_found, (pleura_graph)graph, number);
}
const char *EXPORT(layer_name)(void) { return layer_found.name; }
size_t EXPORT(layer_name_size)(void) { return layer_found.name_size; }
int EXPORT(layer_h)(void) { return layer_found.h; }
int EXPORT(layer_w)(void) { return layer_found.w; }
int EXPORT(layer_c)(void) { return layer_found.c; }
int EXPORT(layer_lanes)(void) { return layer_found.c_stride; }
int EXPORT(layer_bytes)(void) { return layer_found.is_int8; }
double EXPORT(layer_products)(void) { return (double)layer_found.macs; }
void *EXPORT(layer_out)(void) { return layer_found.out; }
void EXPORT(run_layer)(int graph, int number) { pleura_run_layer(engine, (pleura_graph)graph, number); }

/* Takes the input as a film for layer 0 of a graph. */
int EXPORT(prepare)(int graph, size_t size)
{
    pleura_status status = pleura_prepare(engine, (pleura_graph)graph, buffer, size);
    end_input();
    return status;
}

/* products: place in the table of functions. */
int EXPORT(offer_products)(pleura_products *products) { return pleura_offer_products(engine, products); }

/* Zero-terminated names and sentences. */
const char *EXPORT(status_code)(int status) { return pleura_status_code(status); }
const char *EXPORT(status_text)(int status) { return pleura_status_text(status); }
const char *EXPORT(gate_code)(int gate) { return pleura_gate_code(gate); }
const char *EXPORT(gate_text)(int gate) { return pleura_gate_text(gate); }
