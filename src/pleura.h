/* pleura.h - the public C interface: weights in, films in, diagnoses out.
 *
 * One engine serves one thread; several engines are independent of each other. Every function that can fail returns a
 * pleura_status and leaves its results untouched on failure; the engine stays usable. The same film gives the same bits
 * on every machine. For research and teaching, not a medical device. */
#ifndef PLEURA_H
#define PLEURA_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* What libpleura exports; everything else is built hidden. */
#pragma GCC visibility push(default)

typedef struct pleura_engine pleura_engine;

/* Why a film is refused: number, code for programs, sentence for people. The TAG reasons come from the file's header,
 * the others from its pixels. */
#define PLEURA_GATE_LIST(X)                                                                                           \
    X(PLEURA_ACCEPTED, 0, "", "")                                                                                     \
    X(PLEURA_BLANK, 1, "blank", "The image is blank. Export the film again.")                                         \
    X(PLEURA_COLOUR, 2, "colour", "This is a colour image, not a chest X-ray. Use a greyscale chest film.")           \
    X(PLEURA_NO_LUNGS, 3, "no-lungs", "No two lungs found. Use an upright frontal chest film that shows both lungs.") \
    X(PLEURA_UNLIKE, 4, "unlike",                                                                                     \
      "This image is too unlike the chest films the model was validated on; any answer would be a guess. Check that " \
      "it is a frontal chest film.")                                                                                  \
    X(PLEURA_TAG_MODALITY, 5, "tag-modality",                                                                         \
      "According to its header, this file is not a plain radiograph. Use a plain chest X-ray.")                       \
    X(PLEURA_TAG_BODY_PART, 6, "tag-body-part",                                                                       \
      "According to its header, this film shows another part of the body. Use a chest film.")                         \
    X(PLEURA_TAG_VIEW, 7, "tag-view",                                                                                 \
      "According to its header, this film is not a frontal view. Use a PA or AP film.")                               \
    X(PLEURA_TAG_PROCESSING, 8, "tag-processing",                                                                     \
      "According to its header, this file holds raw detector data (\"FOR PROCESSING\"), not the image shown to "      \
      "readers. Export the image for presentation.")

#define X(name, number, code, text) name = number,
typedef enum { PLEURA_GATE_LIST(X) } pleura_gate;
#undef X

const char *pleura_gate_code(int gate); /* static, never NULL; "" when accepted or unknown */
const char *pleura_gate_text(int gate);

enum { PLEURA_UNCERTAIN = -1, PLEURA_REFUSED = -2 };

/* All pointers stay valid until the next diagnosis or the end of the engine. */
typedef struct {
    int verdict; /* number of a label, PLEURA_UNCERTAIN or PLEURA_REFUSED */
    int label_count;
    const float *logits; /* [label_count] */
    const float
        *probability; /* [label_count], calibrated, sum 1, at the prevalence in force; of no meaning when refused */
    pleura_gate gate;
    float gate_score;   /* 0..1: share of good validation films that look stranger; 0 when refused for another reason */
    int width, height;  /* of the upright film */
    int map_side;       /* both maps: [map_side][map_side], 0..1, stretched over the whole upright film */
    int evidence;       /* number of the label with the largest logit, whatever the prevalence */
    const float *lungs; /* probability of lung */
    const float *heatmap; /* evidence for `evidence`, largest value 1 */
    uint64_t bits; /* FNV-1a over the bytes of all floats above, at the weights' own prior whatever the prevalence:
                    * equal everywhere for the same film */
} pleura_result;

/* A picture as a detector or a file holds it. */
typedef struct {
    const uint16_t *values; /* [height][width][channels] */
    int width, height;
    int channels;          /* 1 grey, 3 R G B */
    const uint16_t *table; /* [65536]: what each value shows, 0 black to 65535 white; NULL: the value itself */
    pleura_gate told; /* a PLEURA_TAG_ reason to refuse the film, else PLEURA_ACCEPTED; for weights that have a gate */
} pleura_samples;

/* Reads GGUF weights. The engine points into them: they must outlive it. reference: 1 for the plain kernels, which are
 * the definition of correct, 0 for the vector kernels, which give the same bits faster. End it with pleura_close. */
pleura_status pleura_open(pleura_engine **out, const void *weights, size_t size, int reference);
void pleura_close(pleura_engine *e); /* NULL is allowed */

/* Diagnoses the film of a PNG, JPEG or BMP file, of [height][width] pixels R G B A, of samples, or the synthetic
 * phantom. */
pleura_status pleura_diagnose(pleura_engine *e, pleura_result *out, const void *file, size_t size);
pleura_status pleura_diagnose_rgba(pleura_engine *e, pleura_result *out, const void *rgba, int width, int height);
pleura_status pleura_diagnose_samples(pleura_engine *e, pleura_result *out, const pleura_samples *s);
pleura_status pleura_diagnose_phantom(pleura_engine *e, pleura_result *out);

/* Moves the probabilities, and the verdict with them, from the mixture of classes in the weights (pleura.prior) to that
 * of shares[count], until the next call: p[k] = p[k] * shares[k] / prior[k], then normalised (Saerens, Latinne and
 * Decaestecker 2002), which takes the films of each class to look everywhere alike. NULL goes back to the weights' own.
 * PLEURA_NO_PRIOR where the weights tell none; PLEURA_PREVALENCE unless there is one share a label, none below 0, sum 1
 * within 0.001. */
pleura_status pleura_set_prevalence(pleura_engine *e, const float *shares, int count);

/* Judges again, at the prevalence in force, without running the networks: from logits and gate of *r, which may have
 * been kept from any earlier film of these weights, come its verdict and probability. Ends the probabilities of the
 * last diagnosis or judgement. */
void pleura_judge(pleura_engine *e, pleura_result *r);

/* Diagnoses the phantom and compares the bits with those in the weights: PLEURA_SELF_TEST when they differ. Weights
 * without them pass. Afterwards the engine holds no film. */
pleura_status pleura_self_test(pleura_engine *e);

/* grey[height][width]: the film last diagnosed as the engine saw it, stretched, its robust range spread over 0..255.
 * PLEURA_NO_FILM before the first diagnosis and after pleura_self_test. At most the film's own width and height, at
 * least 1. */
pleura_status pleura_view(const pleura_engine *e, uint8_t *grey, int width, int height);

/* greys[height][width]: the same film with all its greys, 0 black to 65535 white; range: those that pleura_view
 * spreads. */
pleura_status pleura_greys(const pleura_engine *e, uint16_t *greys, uint16_t range[2], int width, int height);

/* What stands in the weights under a key such as "pleura.labels": element `index` of an array, or the value itself at
 * 0. The text is not terminated and lives as long as the weights. 0 when it is not there or of another kind. */
int pleura_text(const pleura_engine *e, const char **at, size_t *size, const char *key, size_t index);
int pleura_number(const pleura_engine *e, double *out, const char *key, size_t index);

#pragma GCC visibility pop

#endif
