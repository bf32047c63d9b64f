/* pleura.h - the C library: weights in, films in, diagnoses out.
 *
 * One engine serves one thread; engines share nothing. A function that can fail returns a pleura_status, leaves its
 * results untouched on failure and leaves the engine usable. What an engine returns belongs to the engine; what the
 * caller passes is only read, and only until the call returns, except for the weights. The same film gives the same
 * bits on every machine. For research and teaching, not a medical device.
 *
 *     pleura_open(&engine, weights, size, PLEURA_SIMD);
 *     pleura_diagnose(engine, &result, file, file_size);
 *     pleura_close(engine); */
#ifndef PLEURA_H
#define PLEURA_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* The version of this header, as in package.json. PLEURA_ABI grows whenever a struct of this header changes. */
#define PLEURA_VERSION "0.1.0"
#define PLEURA_ABI 1

#ifdef __cplusplus
extern "C" {
#endif

/* Everything below is exported by libpleura; everything else is hidden. */
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
      "readers. Export the image for presentation.")                                                                  \
    X(PLEURA_TURNED, 9, "turned", "This film is not upright. Turn it, then analyse it again.")                        \
    X(PLEURA_INVERTED, 10, "inverted",                                                                                \
      "The greys of this film are inverted: bones are dark. Invert it, then analyse it again.")

#define X(name, number, code, text) name = number,
typedef enum { PLEURA_GATE_LIST(X) } pleura_gate;
#undef X

/* The code, such as "no-lungs", and the sentence of a reason. Static, never NULL; "" when accepted or unknown. */
const char *pleura_gate_code(int gate);
const char *pleura_gate_text(int gate);

/* A verdict that is not the number of a label. */
enum { PLEURA_UNCERTAIN = -1, PLEURA_REFUSED = -2 };

/* Why a verdict is PLEURA_UNCERTAIN. */
#define PLEURA_DOUBT_LIST(X)                                           \
    X(PLEURA_CERTAIN, 0, "", "")                                       \
    X(PLEURA_UNDECIDED, 1, "undecided", "No answer is likely enough.") \
    X(PLEURA_OTHER_FINDING, 2, "other-finding", "A finding that is none of the possible answers is likely.")

#define X(name, number, code, text) name = number,
typedef enum { PLEURA_DOUBT_LIST(X) } pleura_doubt;
#undef X

/* The code, such as "other-finding", and the sentence of a doubt. Static, never NULL; "" when certain or unknown. */
const char *pleura_doubt_code(int doubt);
const char *pleura_doubt_text(int doubt);

/* What the heatmap of a result shows. */
typedef enum {
    PLEURA_MAP_NONE,   /* all 0: the network allows no map */
    PLEURA_MAP_CLASS,  /* the class activation map of top_label, largest value 1 */
    PLEURA_MAP_OPACITY /* the probability of opacity, whatever the label: an output that radiologists' boxes taught */
} pleura_map;

/* One diagnosis. All pointers stay valid until the next call that diagnoses, reclassifies or closes. */
typedef struct {
    int verdict;        /* the number of a label, PLEURA_UNCERTAIN or PLEURA_REFUSED */
    pleura_doubt doubt; /* why the verdict is PLEURA_UNCERTAIN, else PLEURA_CERTAIN */
    int label_count;
    const float *logits;      /* [label_count] */
    const float *probability; /* [label_count], calibrated, sum 1, at the prevalence in force; ignore it if refused */
    pleura_gate gate;         /* why the film is refused, else PLEURA_ACCEPTED */
    float gate_score;     /* 0..1: share of validation films that are less typical; 0 if refused for another reason */
    int width, height;    /* of the upright film, in pixels */
    int map_side;         /* both maps are [map_side][map_side], 0..1, stretched over the whole upright film */
    int top_label;        /* the label with the largest logit, whatever the prevalence */
    int quarter_turns;    /* clockwise, that would make the film upright: 0 to 3; 0 if the weights cannot tell */
    const float *lungs;   /* probability of lung */
    const float *heatmap; /* where the evidence lies, see map_kind */
    pleura_map map_kind;
    float extent[2]; /* with PLEURA_MAP_OPACITY the share of each lung under opacity, 0..1: of the lung at the left
                           * of the image, which is the patient's right one, and of the other; else -1 */
    uint64_t bits;   /* FNV-1a over the bytes of all floats above, with the probabilities at the weights' own
                           * prior: equal everywhere for the same film and weights */
} pleura_result;

/* Raw samples, as a detector or a DICOM file holds them. */
typedef struct {
    const uint16_t *values; /* [height][width][channels] */
    int width, height;      /* in pixels */
    int channels;           /* 1: grey; 3: R G B */
    const uint16_t *table;  /* [65536]: the grey of each value, 0 black to 65535 white; NULL: the value itself */
    pleura_gate tag_reason; /* a PLEURA_TAG_ reason to refuse the film, else PLEURA_ACCEPTED. Only weights that find
                             * lungs obey it: other classifiers may target other body parts. */
} pleura_samples;

/* The reference kernels define the result; the SIMD kernels compute the same bits faster. */
typedef enum { PLEURA_SIMD = 0, PLEURA_REFERENCE = 1 } pleura_kernels;

/* Opens an engine on size bytes of GGUF weights, which must stay unchanged until pleura_close. Allocates all that later
 * calls need, except the pixels of one film. PLEURA_NOT_MODEL, PLEURA_MODEL_* or PLEURA_MEMORY. */
pleura_status pleura_open(pleura_engine **out, const void *weights, size_t size, pleura_kernels kind);

/* Frees the engine; NULL is allowed. */
void pleura_close(pleura_engine *e);

/* Diagnoses a film: a whole PNG, JPEG or BMP file of size bytes; 8-bit rgba[height][width][4], alpha ignored; raw
 * samples; or the synthetic phantom, which is nobody's X-ray. PLEURA_EMPTY, PLEURA_NOT_IMAGE, PLEURA_IMAGE_* or
 * PLEURA_MEMORY. A refused film is not a failure: the verdict says so. */
pleura_status pleura_diagnose(pleura_engine *e, pleura_result *out, const void *file, size_t size);
pleura_status pleura_diagnose_rgba(pleura_engine *e, pleura_result *out, const void *rgba, int width, int height);
pleura_status pleura_diagnose_samples(pleura_engine *e, pleura_result *out, const pleura_samples *s);
pleura_status pleura_diagnose_phantom(pleura_engine *e, pleura_result *out);

/* Sets the prevalence shares[count] of the labels for all later diagnoses; NULL returns to the weights' own prior.
 * By Bayes' rule p[k] becomes p[k] * shares[k] / prior[k], normalised (Saerens, Latinne and Decaestecker 2002). This
 * assumes that the films of each class look the same everywhere. PLEURA_NO_PRIOR if the weights have no pleura.prior;
 * PLEURA_PREVALENCE unless there is one share per label, none negative, with a sum of 1 within 0.001. */
pleura_status pleura_set_prevalence(pleura_engine *e, const float *shares, int count);

/* Recomputes verdict, probability and label_count of *r at the prevalence in force, without running the networks.
 * Reads logits[label_count] and gate of *r, which may be copies from any earlier film of these weights. */
void pleura_reclassify(pleura_engine *e, pleura_result *r);

/* The old name of pleura_reclassify, kept for one version. */
#define pleura_judge pleura_reclassify

/* Diagnoses the phantom and compares its bits with those stored in the weights: PLEURA_SELF_TEST if they differ.
 * Weights without stored bits pass. Afterwards the engine holds no film. */
pleura_status pleura_self_test(pleura_engine *e);

/* grey[height][width]: the film last diagnosed, upright, resampled to this size, with its robust range (1 % to 99 % of
 * the greys) spread over 0..255. PLEURA_NO_FILM before the first diagnosis and after pleura_self_test;
 * PLEURA_IMAGE_TOO_LARGE unless both sides are at least 1 and at most those of the film. */
pleura_status pleura_view(const pleura_engine *e, uint8_t *grey, int width, int height);

/* The same at full depth: greys[height][width], 0 black to 65535 white; range[2] is the robust range. */
pleura_status pleura_greys(const pleura_engine *e, uint16_t *greys, uint16_t range[2], int width, int height);

/* map[map_side][map_side]: the class activation map of a label for the film last diagnosed, 0..1, largest value 1;
 * all 0 where nothing speaks for the label. PLEURA_NO_FILM as above; PLEURA_NO_MAP if the logits are not a dense layer
 * over the mean of `features`, or if there is no such label. */
pleura_status pleura_class_map(pleura_engine *e, float *map, int label);

/* The value under a key of the weights such as "pleura.labels": element `index` of an array, or a single value at index
 * 0. The text is size bytes, not terminated, and lives as long as the weights. 0 if absent or of another type. */
int pleura_text(const pleura_engine *e, const char **at, size_t *size, const char *key, size_t index);
int pleura_number(const pleura_engine *e, double *out, const char *key, size_t index);

/* The version and the ABI of the library that is loaded. A program that was compiled with another PLEURA_ABI must not use
 * it: its structs have another layout. */
const char *pleura_version(void);
int pleura_abi(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
