/* phantom.c - draws the phantom as radiography works: each pixel is the line integral of attenuation along its ray.
 *
 * The solids are trunk, lungs, heart, hilum, spine, ribs and clavicles, placed so that the result looks like a frontal
 * film; `make samples` writes it to build/samples/synthetic-phantom.bmp. Changing any constant changes the bits that
 * the weights carry for the self-test. */
#include "image/phantom.h"

#include <math.h>
#include <stdlib.h>

/* Lengths are in cm on a 40 x 40 cm detector with the origin at its centre, x to the right of the film, y downwards and
 * the beam along z. The detector is digital: grey is proportional to the line integral, and bone is white. Attenuation
 * per cm near 70 keV, rounded from NIST's tables: soft tissue 0.20, bone 0.45, inflated lung 0.05. */
enum { SIDE = 640 };
static const float FIELD = 40, TISSUE = 0.20f, BONE = 0.45f, LUNG = 0.05f;

/* Half the path at (x, y) through an ellipsoid with semi-axes a and b in the plane of the film and 1 along the beam. */
static float depth(float x, float y, float a, float b)
{
    float r = 1 - x * x / (a * a) - y * y / (b * b);
    return r > 0 ? sqrtf(r) : 0;
}

/* Half the path through a rod of radius r whose axis is at distance d. */
static float rod(float d, float r) { return fabsf(d) < r ? sqrtf(r * r - d * d) : 0; }

/* The path through the trunk. It widens towards the shoulders, and its cross-section is a superellipse. */
static float trunk(float x, float y)
{
    float up = y < -6 ? (-6 - y) / 14 : 0, wide = 16.8f + 5.2f * up * up, u = x / wide;
    float r = 1 - u * u * u * u;
    return r > 0 ? (21 - 5 * up) * sqrtf(r) : 0;
}

/* The path through the air in both lungs, before heart and hilum are taken off. */
static float air_in_lungs(float x, float y)
{
    float u = fabsf(x); /* the patient's right lung is on the left of the film; its diaphragm is higher */
    float dome = y - (x < 0 ? 7.6f : 8.8f) - 0.06f * (u - 7) * (u - 7);
    float above = dome < 0 ? 1 : dome < 1 ? 1 - dome : 0;
    float lean = y < 0 ? 0.016f * y * y : 0; /* the apices lie closer to the spine */
    return above * 17 * depth(u - 7.4f + lean, y - 1.5f, 5.7f, 14.5f);
}

/* The path through spine, ribs and clavicles. */
static float bones(float x, float y)
{
    float u = fabsf(x), disc = fabsf(fmodf(y + 40, 3.2f) - 1.6f) > 1.3f;
    float sum = (disc ? 0.7f : 1.0f) * rod(x, 1.7f);
    for (int rib = 0; rib < 10 && u > 1.5f && u < 14.5f; rib++) {
        float top = -13.5f + 2.6f * (float)rib, slope = u - 4;
        float back = y - top - (slope > 0 ? 0.035f : 0.02f) * slope * slope; /* posterior arch, descends outwards */
        float front = y - top - 6 + 0.5f * (u - 6);                          /* anterior end, ascends outwards */
        float edge = u < 13.5f ? 1 : 14.5f - u;
        sum += edge * rod(back, 0.62f);
        if (u > 5.5f && rib < 7) sum += 0.5f * edge * rod(front, 0.55f);
    }
    float clavicle = y + 12.6f + 0.13f * (u - 2);
    return sum + (u > 1.8f && u < 15.5f ? rod(clavicle, 0.6f) : 0);
}

/* The line integral of attenuation at (x, y). */
static float integral(float x, float y)
{
    float heart = 11 * depth(x - 2.6f, y - 5.5f, 5.8f, 5.6f) + 8 * depth(x - 0.4f, y + 5, 3.1f, 11);
    float hilum = 4 * depth(fabsf(x - 0.3f) - 4.2f, y - 0.5f, 2.2f, 3.6f);
    float air = air_in_lungs(x, y) - heart - hilum;
    return TISSUE * trunk(x, y) - (TISSUE - LUNG) * (air > 0 ? air : 0) + (BONE - TISSUE) * bones(x, y);
}

pleura_status phantom_draw(film *out)
{
    uint16_t *pixels = malloc((size_t)SIDE * SIDE * sizeof *pixels);
    if (!pixels) return PLEURA_MEMORY;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float v =
                integral(((float)x + 0.5f) / SIDE * FIELD - FIELD / 2, ((float)y + 0.5f) / SIDE * FIELD - FIELD / 2);
            float grey = v * (65535.0f / 5); /* 5: just above the largest integral */
            pixels[y * SIDE + x] = (uint16_t)(grey > 65535 ? 65535 : grey > 0 ? grey : 0);
        }
    *out = (film){pixels, SIDE, SIDE, 0};
    return PLEURA_OK;
}
