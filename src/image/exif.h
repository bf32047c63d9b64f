/* exif.h - the orientation that a camera or scanner notes in a JPEG's EXIF data. */
#ifndef PLEURA_EXIF_H
#define PLEURA_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* Returns the orientation, 1..8, from a TIFF header with its first directory; 1 (upright) when there is none. */
int exif_orientation(const uint8_t *tiff, size_t size);

#endif
