/* film.h - from file bytes to a film, and from a film to a network's input.
 *
 * A film is one upright plane of grey pixels. It comes from PNG (8 and 16 bits), JPEG (baseline and progressive; grey,
 * colour, CMYK) or BMP files, whose structure is checked before they are decoded, or from samples, as DICOM files and
 * browsers deliver them. EXIF orientation is applied; gamma and colour profiles are not. All arithmetic gives the same
 * bits on every machine. */
#ifndef PLEURA_FILM_H
#define PLEURA_FILM_H

#include <stddef.h>
#include <stdint.h>

#include "image/limits.h"

/* A film whose robust range is smaller than this is blank. Averaging leaves differences below 1 in a constant film, and
 * the range of the faintest real film is far wider. */
#define FILM_BLANK_RANGE 16

typedef struct {
    uint16_t *pixels;  /* [height][width], 0..65535; an 8-bit value v is stored as v * 257 */
    int width, height; /* upright */
    float chroma;      /* mean over the pixels of (max - min of R, G, B), 0..1; 0 for a grey film */
} film;

/* Interleaved samples as a decoder, a canvas or a detector delivers them: [height][width][channels]. */
typedef struct {
    const uint16_t *values; /* 16-bit samples, or NULL */
    const uint8_t *bytes;   /* 8-bit samples, where values is NULL */
    int width, height;
    int channels;          /* 1 grey, 2 grey and alpha, 3 R G B, 4 R G B and alpha; alpha is ignored */
    const uint16_t *table; /* LUT[65536]: the grey level that each 16-bit value shows; NULL: the value itself */
} film_samples;

/* A rectangle of a film, in pixels; fractions are allowed. */
typedef struct {
    double x0, y0, x1, y1;
} film_rect;

/* Makes a film of a whole file. The caller frees it with film_free. */
pleura_status film_decode(film *out, const uint8_t *bytes, size_t size);

/* Makes a film of samples. PLEURA_IMAGE_UNSUPPORTED unless there are 1 to 4 channels. The caller frees it with
 * film_free. */
pleura_status film_from_samples(film *out, const film_samples *s);

/* Frees the pixels and clears the film; a cleared film is allowed. */
void film_free(film *f);

/* Turns a film upright that was stored with this EXIF orientation, 1..8. */
pleura_status film_turn(film *f, int orientation);

/* Decodes a JPEG of any process that DICOM allows to 16-bit samples without a LUT, whose `bits` lowest bits, 2 to 16,
 * are used. 8-bit sequential and progressive colour is converted to R G B. The caller frees out->values. */
pleura_status samples_from_jpeg(film_samples *out, int *bits, const uint8_t *bytes, size_t size);

/* out[height][width]: the part of the film, or the whole film if it is NULL, stretched: each value is the average over
 * its area. The part lies within the film. */
void film_resample(float *out, int width, int height, const film *f, const film_rect *part);

/* The 1st and 99th percentiles of `count` values, to 1/4096 of their range. */
void robust_range(float *low, float *high, const float *values, size_t count);

/* out[side][side]: the whole film stretched to a square, its robust range mapped to -1..1 and clipped. Returns 0, and
 * zeros, for a blank film. */
int film_input(float *out, int side, const film *f);

#endif
