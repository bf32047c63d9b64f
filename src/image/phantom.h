/* phantom.h - a synthetic chest film, drawn from simple solids; for the self-test, golden values and demonstrations.
 * It is nobody's X-ray and is to be labelled synthetic wherever it is shown. */
#ifndef PLEURA_PHANTOM_H
#define PLEURA_PHANTOM_H

#include "image/film.h"

/* Draws a frontal (PA) film; its pixels belong to the caller, who ends them with film_free. */
pleura_status phantom_draw(film *out);

#endif
