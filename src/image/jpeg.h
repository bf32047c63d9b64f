/* jpeg.h - JPEG by ITU-T T.81: the check that every file passes before stb_image sees it, and the processes that
 * stb_image lacks and hospitals use: lossless (all predictors), and sequential DCT with 12 bits. */
#ifndef PLEURA_JPEG_H
#define PLEURA_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct {
    int width, height, channels;
    int bits;        /* a sample */
    int process;     /* 0 baseline, 1 extended sequential, 2 progressive, 3 lossless, more that nothing here decodes */
    int orientation; /* EXIF, 1..8 */
} jpeg_header;

/* Walks every segment and scan up to EOI. The size is within the limits of limits.h, the scans are at most 100, and the
 * data of those that stb_image reads last for all their blocks. Or PLEURA_MEMORY. */
pleura_status jpeg_check(jpeg_header *out, const uint8_t *bytes, size_t size);

/* values[height][width][channels] of a file that jpeg_check has passed: lossless, or 12 bits with one channel.
 * PLEURA_IMAGE_UNSUPPORTED for others. */
pleura_status jpeg_decode(uint16_t *values, const jpeg_header *h, const uint8_t *bytes, size_t size);

#endif
