/* png.h - the structure of a PNG file, checked before stb_image decodes it. */
#ifndef PLEURA_PNG_H
#define PLEURA_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct {
    size_t max_growth;      /* no buffer needs to grow past this while the file is unpacked */
    uint32_t colours;       /* entries of the palette, 0 for none */
    uint32_t indices;       /* values that a pixel of a palette file can hold, 0 for other files */
    int has_transparency;   /* 1 if there is a tRNS chunk */
    int orientation;        /* EXIF of an eXIf chunk, 1..8; 0 without such a chunk */
    const uint8_t *profile; /* text chunk of the kind "Raw profile type exif", from its keyword on; NULL without one */
    size_t profile_size;
} png_header;

/* Walks every chunk up to IEND and checks the CRC of those that hold the picture. A damaged ancillary chunk is skipped
 * (PNG, third edition, 13.2). */
pleura_status png_check(png_header *out, const uint8_t *bytes, size_t size);

/* Finds the text of out->profile and returns whether it is compressed by zlib: 0 or 1. */
int png_profile_text(const uint8_t **text, size_t *size, const png_header *h);

/* Renames the tRNS chunks of a file that has passed png_check, so that decoders skip them. The CRCs are wrong then;
 * stb_image does not check them. */
void png_hide_transparency(uint8_t *bytes, size_t size);

/* Turns the bytes of a palette file without transparency into those of a grey one whose samples are the indices into
 * the palette. Its CRC is wrong then. */
void png_show_indices(uint8_t *bytes);

/* Returns 1 if all samples of such a file, decoded to 0..255, are indices of palette entries. */
int png_has_colours(const png_header *h, const uint8_t *samples, size_t count);

#endif
