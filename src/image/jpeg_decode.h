/* jpeg_decode.h - decodes the scans that stb_image does not know: lossless, and 12-bit sequential. */
#ifndef PLEURA_JPEG_DECODE_H
#define PLEURA_JPEG_DECODE_H

#include "image/jpeg.h"
#include "image/jpeg_bits.h"

/* values[height][width][channels] of the scan that *r is at the start of. The frame is lossless with 1 component or
 * more, or 12-bit sequential with one. PLEURA_IMAGE_UNSUPPORTED if the scan lacks a component or one is subsampled. */
pleura_status jpeg_decode_scan(uint16_t *values, const jpeg_header *h, jpeg_reader *r, const uint8_t *frame,
                               const uint8_t *scan);

#endif
