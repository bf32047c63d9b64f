/* png.c - walks PNG files chunk by chunk.
 *
 * A PNG is a signature and a list of chunks: length, type, data, CRC. stb_image ignores the CRCs, accepts colour types
 * and depths that do not exist, and reads uninitialised memory for indices outside the palette, so all of this is
 * checked first. */
#include "image/png.h"

#include <string.h>

#include "image/endian.h"
#include "image/limits.h"

enum { FIRST_CHUNK = 8, COLOUR_TYPE = 25, PALETTE = 3 }; /* two offsets in the file, one colour type */

/* CRC-32 as PNG uses it (ISO 3309), by a table for half a byte at a time (Warren, Hacker's Delight, 14). */
static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                       0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;
    for (; n; n--, p++) {
        crc = table[(crc ^ *p) & 15] ^ crc >> 4;
        crc = table[(crc ^ *p >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

/* Returns 1 if the colour type exists with this bit depth (PNG specification, table 11.1). */
static int depth_exists(uint8_t colour, uint8_t bits)
{
    static const uint32_t depths[7] = {0x10116, 0, 0x10100, 0x116, 0x10100, 0, 0x10100}; /* bit n: n bits */
    return colour <= 6 && bits <= 16 && depths[colour] >> bits & 1;
}

/* Reads the data of IHDR.
 *
 * max_growth stops decompression bombs. It bounds two buffers of stb_image: the compressed data, which is smaller than
 * the file, and the unpacked rows, which are largest with four 16-bit samples per pixel and one filter byte per row.
 * stb_image doubles a buffer that is full, hence the factor 2. For example, a file of 5000 bytes with 64 x 64 pixels
 * may grow its buffers to 4096 + 2 * (5000 + (64 * 8 + 1) * 64) = 79,760 bytes. */
static pleura_status read_header(png_header *out, const uint8_t *data, size_t size)
{
    uint32_t width = be32(data), height = be32(data + 4);
    uint8_t bits = data[8], colour = data[9];
    pleura_status status = image_check_size(width, height);
    if (status) return status;
    if (!depth_exists(colour, bits)) return PLEURA_IMAGE_DAMAGED;
    out->indices = colour == PALETTE ? 1u << bits : 0;
    out->max_growth = 4096 + 2 * (size + ((size_t)width * 8 + 1) * height);
    return PLEURA_OK;
}

pleura_status png_check(png_header *out, const uint8_t *bytes, size_t size)
{
    png_header h = {0};
    for (size_t at = FIRST_CHUNK;;) { /* PNG specification, 5.3 */
        if (size - at < 12) return PLEURA_IMAGE_DAMAGED;
        uint32_t length = be32(bytes + at);
        const uint8_t *type = bytes + at + 4;
        if (length > size - at - 12) return PLEURA_IMAGE_DAMAGED;
        if (crc32_of(type, (size_t)length + 4) != be32(type + 4 + length)) return PLEURA_IMAGE_DAMAGED;
        if (at == FIRST_CHUNK) {
            if (memcmp(type, "IHDR", 4) != 0 || length != 13) return PLEURA_IMAGE_DAMAGED;
            pleura_status status = read_header(&h, type + 4, size);
            if (status) return status;
        }
        int palette = memcmp(type, "PLTE", 4) == 0, transparency = memcmp(type, "tRNS", 4) == 0;
        if ((palette && h.colours) || (transparency && h.transparency)) return PLEURA_IMAGE_DAMAGED; /* one each, 5.6 */
        if (palette) h.colours = length / 3;
        if (transparency) h.transparency = at + 4;
        if (memcmp(type, "IEND", 4) == 0) break;
        at += (size_t)length + 12;
    }
    *out = h;
    return PLEURA_OK;
}

void png_show_indices(uint8_t *bytes, const png_header *h)
{
    bytes[COLOUR_TYPE] = 0;
    if (h->transparency) bytes[h->transparency] = 'x'; /* an unknown chunk, which decoders skip */
}

int png_has_colours(const png_header *h, const uint8_t *samples, size_t count)
{
    uint32_t step = 255 / (h->indices - 1); /* between the grey levels of two indices */
    for (size_t i = 0; i < count; i++)
        if (samples[i] >= h->colours * step) return 0;
    return 1;
}
