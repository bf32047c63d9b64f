/* bmp.h - the structure of a BMP file, checked before stb_image decodes it. */
#ifndef PLEURA_BMP_H
#define PLEURA_BMP_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* Checks headers, masks, the palette and that every pixel is there. PLEURA_IMAGE_UNSUPPORTED for the kinds of BMP that
 * stb_image decodes wrongly or not at all. */
pleura_status bmp_check(const uint8_t *bytes, size_t size);

#endif
