/* expf.c - the exponential function, with the same bits on every machine. */
#include <stdint.h>
#include <string.h>

#include "nn/f32.h"

/* Argument reduction and polynomial as in Cephes' expf (Moshier, 1989). */
float pleura_exp(float x)
{
    if (!(x >= -87)) return 0; /* NaN too */
    if (x > 88) x = 88;
    float scaled = x * 1.44269504f;
    int n = (int)(scaled < 0 ? scaled - 0.5f : scaled + 0.5f);
    float r = x - (float)n * 0.693359375f - (float)n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}
