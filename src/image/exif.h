/* exif.h - the orientation that a camera or scanner notes in the EXIF data of a JPEG or PNG. */
#ifndef PLEURA_EXIF_H
#define PLEURA_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* Returns the orientation, 1..8, from EXIF data: a TIFF header with its first directory, after the letters "Exif" or
 * without them. 1 (upright) when there is none. */
int exif_orientation(const uint8_t *tiff, size_t size);

/* Returns the orientation from the text of a "Raw profile type" of PNG: a name, a length and EXIF data in hexadecimal
 * digits. */
int exif_profile_orientation(const uint8_t *text, size_t size);

#endif
