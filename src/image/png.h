/* png.h - the structure of a PNG file, checked before stb_image decodes it. */
#ifndef PLEURA_PNG_H
#define PLEURA_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct {
    size_t max_growth;   /* no buffer needs to grow past this while the file is unpacked */
    uint32_t colours;    /* entries of the palette, 0 for none */
    uint32_t indices;    /* values that a pixel of a palette file can hold, 0 for other files */
    size_t transparency; /* offset of the type of the tRNS chunk, 0 for none */
} png_header;

/* Walks every chunk up to IEND and checks its CRC. */
pleura_status png_check(png_header *out, const uint8_t *bytes, size_t size);

/* Turns the bytes of a palette file into those of a grey one whose samples are the indices into the palette. Its CRCs
 * are wrong then; stb_image does not check them. */
void png_show_indices(uint8_t *bytes, const png_header *h);

/* Returns 1 if all samples of such a file, decoded to 0..255, are indices of palette entries. */
int png_has_colours(const png_header *h, const uint8_t *samples, size_t count);

#endif
