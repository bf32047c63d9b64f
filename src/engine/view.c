/* view.c - the film last diagnosed, resampled for display. */
#include <stdlib.h>

#include "engine/engine.h"

typedef struct {
    float *values;   /* [height][width]; the caller frees them */
    float low, high; /* robust range */
} resampled;

static pleura_status resample(resampled *out, const film *f, int width, int height)
{
    if (!f->pixels) return PLEURA_NO_FILM;
    if (width < 1 || height < 1 || width > f->width || height > f->height) return PLEURA_IMAGE_TOO_LARGE;
    size_t count = (size_t)width * (size_t)height;
    out->values = malloc(count * sizeof *out->values);
    if (!out->values) return PLEURA_MEMORY;
    film_resample(out->values, width, height, f, NULL);
    robust_range(&out->low, &out->high, out->values, count);
    if (out->high - out->low < 1) out->high = out->low; /* the pixels of a blank film differ by rounding alone */
    return PLEURA_OK;
}

pleura_status pleura_view(const pleura_engine *e, uint8_t *grey, int width, int height)
{
    resampled r;
    pleura_status status = resample(&r, &e->film, width, height);
    if (status) return status;
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++) {
        float v = r.high > r.low ? 255 * (r.values[i] - r.low) / (r.high - r.low) : 0;
        grey[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5f);
    }
    free(r.values);
    return PLEURA_OK;
}

/* Rounds, and caps at white: the robust range ends one bin above the largest value, and long sums of white round up. */
static uint16_t round_grey(float v) { return (uint16_t)(v < 65535 ? v + 0.5f : 65535); }

pleura_status pleura_greys(const pleura_engine *e, uint16_t *greys, uint16_t range[2], int width, int height)
{
    resampled r;
    pleura_status status = resample(&r, &e->film, width, height);
    if (status) return status;
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++) greys[i] = round_grey(r.values[i]);
    range[0] = round_grey(r.low), range[1] = round_grey(r.high);
    free(r.values);
    return PLEURA_OK;
}
