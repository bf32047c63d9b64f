/* phantom.c - line integrals of attenuation through thorax, lungs, heart, diaphragm, spine, ribs and clavicles. */
#include "phantom.h"

#include <math.h>
#include <stdlib.h>

/* Lengths in cm on a 40 x 40 cm detector, origin at its middle, x to the film's right, y downwards, beam along z. The
 * detector is digital: grey is proportional to the line integral, bone white. Attenuation per cm near 70 keV, rounded
 * from NIST's tables: soft tissue 0.20, bone 0.45, inflated lung 0.05. */
enum { SIDE = 640 };
static const float FIELD = 40, TISSUE = 0.20f, BONE = 0.45f, LUNG = 0.05f;

/* Half the way through an ellipsoid of half axes a, b (in the film's plane) and 1 (along the beam) at (x, y). */
static float depth(float x, float y, float a, float b)
{
    float r = 1 - x * x / (a * a) - y * y / (b * b);
    return r > 0 ? sqrtf(r) : 0;
}

/* Half the way through a rod of radius r whose axis passes at distance d. */
static float rod(float d, float r) { return fabsf(d) < r ? sqrtf(r * r - d * d) : 0; }

static float air_in_lungs(float x, float y)
{
    float left = x < 0 ? -1.0f : 1.0f, u = x * left; /* the patient's right lung lies at the film's left */
    float dome = y - (x < 0 ? 7.5f : 8.5f) - 0.055f * (u - 7) * (u - 7);
    float sharp = dome < 0 ? 1 : dome < 1 ? 1 - dome : 0;
    float apex = y < -2 ? 0.10f * (y + 2) * (y + 2) * 0.12f : 0; /* narrower towards the top */
    return sharp * 17 * depth(u - 6.9f + apex, y - 1, 5.3f, 14.5f);
}

static float bones(float x, float y)
{
    float sum = 2 * rod(x, 1.7f) * (0.8f + 0.2f * (fabsf(fmodf(y + 40, 3.2f) - 1.6f) > 0.4f)); /* vertebrae and discs */
    float u = fabsf(x);
    for (int rib = 0; rib < 9 && u < 14; rib++) {
        float top = -13.5f + 2.9f * (float)rib;
        float back = y - top - 0.012f * (u - 3) * (u - 3) * (u - 3) / 3; /* posterior arch falls outwards */
        float front = y - top - 6.5f + 0.35f * (u - 5);                  /* anterior end rises outwards */
        if (u > 1.7f) sum += 0.55f * rod(back, 0.65f);
        if (u > 5 && rib > 1 && rib < 7) sum += 0.35f * rod(front, 0.6f);
    }
    float clavicle = y + 13.2f + 0.16f * (u - 2);
    return sum + (u > 1.5f && u < 15 ? 0.8f * rod(clavicle, 0.7f) : 0);
}

static float integral(float x, float y)
{
    float body = 24 * depth(x, y - 4, 17.5f, 34) + 10 * depth(x, y - 18, 19, 16);
    float shoulders = 9 * depth(fabsf(x) - 15, y + 15, 7, 5);
    float air = air_in_lungs(x, y);
    float heart = 11 * depth(x - 2.4f, y - 4.5f, 5.6f, 5.4f) + 7 * depth(x - 0.6f, y + 6, 3.0f, 8);
    float hilum = 3 * depth(fabsf(x - 0.3f) - 4.0f, y + 0.5f, 1.8f, 2.8f);
    air -= heart + hilum;
    return TISSUE * (body + shoulders) - (TISSUE - LUNG) * (air > 0 ? air : 0) + (BONE - TISSUE) * bones(x, y);
}

pleura_status phantom_draw(film *out)
{
    uint16_t *pixels = malloc((size_t)SIDE * SIDE * sizeof *pixels);
    if (!pixels) return PLEURA_MEMORY;
    for (int y = 0; y < SIDE; y++)
    for (int x = 0; x < SIDE; x++) {
        float v = integral(((float)x + 0.5f) / SIDE * FIELD - FIELD / 2, ((float)y + 0.5f) / SIDE * FIELD - FIELD / 2);
        float grey = v * (65535.0f / 8); /* 8: just above the thickest path */
        pixels[y * SIDE + x] = (uint16_t)(grey > 65535 ? 65535 : grey > 0 ? grey : 0);
    }
    *out = (film){pixels, SIDE, SIDE, 0};
    return PLEURA_OK;
}
