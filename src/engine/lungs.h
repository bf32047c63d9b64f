/* lungs.h - from the first network's answer to what the second one sees: nothing but lungs.
 *
 * On whole frames a network learns hospitals: borders, markers, film sizes. So the lungs are cut out by their bounding
 * box, stretched to a square, brought to one sharpness and one grey scale, and everything around them is blanked.
 * Fractions of the film run from 0 at its left and top edge to 1 at its right and bottom edge. */
#ifndef PLEURA_LUNGS_H
#define PLEURA_LUNGS_H

#include "image/film.h"

typedef struct {
    float *mask; /* [side][side] over the whole film stretched to a square, 0..1; the caller's memory */
    int side;
    float area;    /* share of the frame that is lung; 0: none was found, and the box is the whole film */
    float balance; /* smaller over larger half of the lungs, left and right of the box's middle */
    float doubt;   /* pixels of the whole frame with a lung probability within 0.1..0.9, over those of the lungs */
    float x0, y0, x1, y1; /* bounding box, fractions of the film */
} lungs;

/* The whole film as lungs, for a network that does not look for them. */
void lungs_whole_film(lungs *l);

/* Fills l->mask (l->mask and l->side are set by the caller) and the rest of l from the mask logits, whose pixels lie
 * `stride` floats apart. Lung is where the logit is positive; regions smaller than an eighth of the largest are
 * dropped. scratch: 2 * side * side ints. */
void lungs_find(lungs *l, const float *logits, int stride, int *scratch);

/* crop, mask: [side][side] each. The box, wider by margin (a fraction of its size) at every side as far as the film
 * reaches; `blur` passes of the binomial 1 2 1 that mix lung with lung only; grey (v - mean) / deviation under the
 * mask, clipped to -3..3. The second network sees crop * mask. Zeros where no lungs were found. */
void lungs_input(float *crop, float *mask, int side, float margin, int blur, const film *f, const lungs *l);

/* Where the box with its margin lies on the film: x0 y0 x1 y1, fractions. */
void lungs_box(float box[4], float margin, const lungs *l);

/* grid[height][width] at the point (x, y) = fractions of its frame; linear between the cells' middles, flat outside. */
float grid_at(const float *grid, int width, int height, float x, float y);

#endif
