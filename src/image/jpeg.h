/* jpeg.h - JPEG (ITU-T T.81): the check that every file passes before stb_image sees it, and the two processes that
 * hospitals use and stb_image lacks: lossless with all predictors, and 12-bit sequential DCT. */
#ifndef PLEURA_JPEG_H
#define PLEURA_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct {
    int width, height, channels;
    int bits;    /* per sample */
    int process; /* n of SOFn: 0 baseline, 1 extended sequential, 2 progressive, 3 lossless; others are not decoded */
    int orientation; /* EXIF, 1..8 */
} jpeg_header;

/* Walks every segment and scan up to EOI. After it the size is within limits.h, there are at most 100 scans, and the
 * scans that stb_image decodes hold data for all their blocks. */
pleura_status jpeg_check(jpeg_header *out, const uint8_t *bytes, size_t size);

/* Decodes a file that has passed jpeg_check to values[height][width][channels]: lossless, or 12 bits with one channel.
 * PLEURA_IMAGE_UNSUPPORTED for others. */
pleura_status jpeg_decode(uint16_t *values, const jpeg_header *h, const uint8_t *bytes, size_t size);

#endif
