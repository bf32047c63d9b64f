/* phantom.h - a synthetic chest film, drawn from simple solids, for the self-test, golden values and demonstrations. It
 * shows no human being and must be labelled synthetic wherever it is displayed. */
#ifndef PLEURA_PHANTOM_H
#define PLEURA_PHANTOM_H

#include "image/film.h"

/* Draws a frontal (PA) film. The caller frees it with film_free. */
pleura_status phantom_draw(film *out);

#endif
