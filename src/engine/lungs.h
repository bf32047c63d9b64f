/* lungs.h - from the output of the lungs network to the input of the diagnosis network: nothing but lungs.
 *
 * On whole frames a network learns to recognise hospitals by borders, markers and film sizes. So the lungs are cut out
 * along their bounding box, stretched to a square, brought to one sharpness and one grey scale, and masked. Positions
 * are fractions of the film, from 0 at its left and top edge to 1 at its right and bottom edge. */
#ifndef PLEURA_LUNGS_H
#define PLEURA_LUNGS_H

#include "image/film.h"

typedef struct {
    float *mask; /* [side][side], probability of lung over the whole film stretched to a square; the caller's memory */
    int side;
    float area;           /* share of the frame that is lung; 0: no lungs found, and the box is the whole film */
    float balance;        /* smaller / larger half of the lungs, left and right of the centre of the box */
    float doubt;          /* pixels of the frame with a probability of lung within 0.1..0.9 / pixels of the lungs */
    float x0, y0, x1, y1; /* bounding box */
} lungs;

/* Takes the whole film as lungs, for weights without a lungs network. Reads side, fills the rest of *l. */
void lungs_whole_film(lungs *l);

/* Finds the lungs in logits[side][side], whose pixels are `stride` floats apart. Reads l->side, fills the rest of *l.
 * Lung is where the logit is positive; regions smaller than an eighth of the largest are dropped.
 * workspace: 2 * side * side ints. */
void lungs_find(lungs *l, const float *logits, int stride, int *workspace);

/* box[4]: x0 y0 x1 y1 of the bounding box, widened on every side by margin (a fraction of its size) within the film. */
void lungs_box(float box[4], float margin, const lungs *l);

typedef struct {
    int side;       /* of the crop */
    float margin;   /* of its box */
    int blur;       /* passes of the binomial filter */
    int grow;       /* pixels of the lungs' mask by which it is widened on every side */
    float contrast; /* of the local contrast normalisation; 0: none. Otherwise side is a multiple of LOCAL_CELL. */
} crop_settings;

enum { LOCAL_CELL = 8 }; /* pixels of the crop whose moments are pooled */

/* Floats that lungs_input needs as a workspace. */
size_t lungs_input_workspace(const crop_settings *s, const lungs *l);

/* Fills crop[side][side] and mask[side][side] from that box. The mask is widened by `grow`; what is called lung below is
 * what it covers.
 *   1. `blur` passes of the binomial filter 1 2 1 mix lung with lung only.
 *   2. v = (v - mean) / deviation of the lungs, clipped to -3..3.
 *   3. With contrast > 0: v = (v - m) / (d + contrast), where m and d are the mean and the deviation of the lungs within
 *      the 5 x 5 cells around a cell of LOCAL_CELL pixels, bilinear between the cells' centres.
 * The diagnosis network sees crop * mask. All zeros when no lungs were found. */
void lungs_input(float *crop, float *mask, const crop_settings *s, const film *f, const lungs *l, float *workspace);

/* grid[height][width] at the point (x, y), fractions of its frame: bilinear between the centres of the cells, constant
 * beyond the outer centres. */
float grid_at(const float *grid, int width, int height, float x, float y);

#endif
