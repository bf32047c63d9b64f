/* film.h - file bytes to one upright grey plane, and that plane to a network's input.
 *
 * Reads PNG (8 and 16 bits), JPEG (baseline and progressive; grey, colour, CMYK) and BMP. Before stb_image sees a file,
 * its structure is walked: sizes, checksums and completeness, because stb_image fills what is missing with grey.
 * Samples that a DICOM file holds come in as they are, with the table that makes them grey. EXIF orientation is
 * applied; gamma and colour profiles are not. All arithmetic is the same on every machine. */
#ifndef PLEURA_IMAGE_H
#define PLEURA_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "image/limits.h"

/* A film whose robust range is smaller is blank: averaging leaves differences of a fraction of one in a constant film,
 * and the faintest real one spans far more. */
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
    const uint16_t *table; /* [65536]: the grey level that each 16-bit value shows; NULL: the value itself */
} film_samples;

/* Decodes a whole file. The pixels belong to the caller, who ends them with film_free. */
pleura_status film_decode(film *out, const uint8_t *bytes, size_t size);

/* The same from samples. PLEURA_IMAGE_UNSUPPORTED unless there are 1 to 4 channels. */
pleura_status film_from_samples(film *out, const film_samples *s);

/* Turns a film so that it is upright; orientation as in EXIF, 1..8. */
pleura_status film_turn(film *f, int orientation);

/* Decodes a JPEG of any process that DICOM allows, 2 to 16 bits, to 16-bit samples without a table; 8-bit colour comes
 * as R G B. The caller frees the values. */
pleura_status samples_from_jpeg(film_samples *out, int *bits, const uint8_t *bytes, size_t size);

/* Frees the pixels and clears the film; a cleared film is allowed. */
void film_free(film *f);

/* out[oh][ow]: area averages of the rectangle x0..x1, y0..y1 (pixels, fractions allowed, inside the film), stretched.
 */
void film_resample(float *out, int ow, int oh, const film *f, double x0, double y0, double x1, double y1);

/* The values below which 1 % and 99 % of count values lie, to 1/4096 of their range. */
void robust_range(float *low, float *high, const float *values, size_t count);

/* out[side][side]: the whole film stretched to a square, its robust range mapped to -1..1 and clipped.
 * Returns 0, and zeros, for a blank film. */
int film_input(float *out, int side, const film *f);

#endif
