/* view.c - the film last diagnosed, for display. */
#include <stdlib.h>

#include "engine/engine.h"

/* *values[height][width], to be freed: the film stretched; *low and *high: its robust range. */
static pleura_status stretch(float **values, float *low, float *high, const film *f, int width, int height)
{
    if (!f->pixels) return PLEURA_NO_FILM;
    if (width < 1 || height < 1 || width > f->width || height > f->height) return PLEURA_IMAGE_TOO_LARGE;
    size_t count = (size_t)width * (size_t)height;
    *values = malloc(count * sizeof **values);
    if (!*values) return PLEURA_MEMORY;
    film_resample(*values, width, height, f, NULL);
    robust_range(low, high, *values, count);
    if (*high - *low < 1) *high = *low; /* a blank film differs by rounding alone */
    return PLEURA_OK;
}

pleura_status pleura_view(const pleura_engine *e, uint8_t *grey, int width, int height)
{
    float *values, low, high;
    pleura_status status = stretch(&values, &low, &high, &e->film, width, height);
    if (status) return status;
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++) {
        float v = high > low ? 255 * (values[i] - low) / (high - low) : 0;
        grey[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5f);
    }
    free(values);
    return PLEURA_OK;
}

/* The nearest grey: robust_range ends a bin above the largest value, and long sums of white round upwards. */
static uint16_t nearest_grey(float v) { return (uint16_t)(v < 65535 ? v + 0.5f : 65535); }

pleura_status pleura_greys(const pleura_engine *e, uint16_t *greys, uint16_t range[2], int width, int height)
{
    float *values, low, high;
    pleura_status status = stretch(&values, &low, &high, &e->film, width, height);
    if (status) return status;
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++) greys[i] = nearest_grey(values[i]);
    range[0] = nearest_grey(low), range[1] = nearest_grey(high);
    free(values);
    return PLEURA_OK;
}
