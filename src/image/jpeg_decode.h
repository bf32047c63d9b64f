/* jpeg_decode.h - decodes the scans that stb_image does not know. */
#ifndef PLEURA_JPEG_DECODE_H
#define PLEURA_JPEG_DECODE_H

#include "image/jpeg.h"
#include "image/jpeg_bits.h"

/* A scan of all channels, as `jpeg_decode` says. */
pleura_status jpeg_decode_scan(uint16_t *values, const jpeg_header *h, decoder *d, const uint8_t *scan,
                               const uint8_t *frame);

#endif
