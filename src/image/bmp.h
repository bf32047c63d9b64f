/* bmp.h - decodes BMP files. */
#ifndef PLEURA_BMP_H
#define PLEURA_BMP_H

#include <stddef.h>
#include <stdint.h>

#include "image/film.h"

/* Decodes an uncompressed BMP of any header version and depth to 8-bit R G B, top row first. PLEURA_BMP_COMPRESSED
 * for run lengths and embedded JPEG and PNG, PLEURA_BMP_LAYOUT for headers of other sizes and masks with holes;
 * PLEURA_IMAGE_DAMAGED unless every pixel is there and in the palette. The caller frees out->bytes. */
pleura_status bmp_decode(film_samples *out, const uint8_t *bytes, size_t size);

#endif
