/* limits.c - see limits.h. */
#include "image/limits.h"

pleura_status image_check_size(int64_t width, int64_t height)
{
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || width * height > IMAGE_MAX_PIXELS)
        return PLEURA_IMAGE_TOO_LARGE;
    if (width < IMAGE_MIN_SIDE || height < IMAGE_MIN_SIDE) return PLEURA_IMAGE_TOO_SMALL;
    return PLEURA_OK;
}
