/* limits.h - the image sizes that Pleura accepts. Every decoder checks them before it multiplies a size. */
#ifndef PLEURA_LIMITS_H
#define PLEURA_LIMITS_H

#include <stdint.h>

#include "status.h"

enum { IMAGE_MIN_SIDE = 64, IMAGE_MAX_SIDE = 16384, IMAGE_MAX_PIXELS = 64000000 };

/* Checks the size limits: PLEURA_IMAGE_TOO_LARGE, PLEURA_IMAGE_TOO_SMALL or PLEURA_OK. Any 32-bit sizes are allowed. */
pleura_status image_check_size(int64_t width, int64_t height);

#endif
