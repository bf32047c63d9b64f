/* png.c - walks PNG files chunk by chunk.
 *
 * A PNG is a signature and a list of chunks: length, type, data, CRC. Chunks whose name begins with a capital are
 * critical: they hold the picture. stb_image ignores the CRCs, accepts colour types and depths that do not exist, reads
 * uninitialised memory for indices outside the palette, and refuses a picture for its broken transparency, which the
 * engine does not use. So all of this is checked or hidden first. */
#include "image/png.h"

#include <string.h>

#include "image/endian.h"
#include "image/exif.h"
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

/* The names of text chunks in which ImageMagick and exiftool kept EXIF before eXIf was defined, each of the same length. */
static const char *const PROFILES[] = {"Raw profile type exif", "Raw profile type APP1"};

static int is_profile(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < sizeof PROFILES / sizeof *PROFILES; i++) {
        size_t size = strlen(PROFILES[i]) + 1;
        if (length > size && memcmp(data, PROFILES[i], size) == 0) return 1;
    }
    return 0;
}

/* Notes what an undamaged ancillary chunk says about the picture. The first of two counts. */
static void read_ancillary(png_header *h, const uint8_t *type, size_t length)
{
    const uint8_t *data = type + 4;
    if (memcmp(type, "eXIf", 4) == 0 && !h->orientation) h->orientation = exif_orientation(data, length);
    int is_text = memcmp(type, "zTXt", 4) == 0 || memcmp(type, "tEXt", 4) == 0 || memcmp(type, "iTXt", 4) == 0;
    if (is_text && !h->profile && is_profile(data, length)) h->profile = type, h->profile_size = length + 4;
}

static pleura_status read_critical(png_header *h, const uint8_t *type, size_t length)
{
    if (memcmp(type, "PLTE", 4) == 0) {
        if (h->colours) return PLEURA_IMAGE_DAMAGED; /* there is one palette (5.6) */
        h->colours = (uint32_t)(length / 3);
    } else if (memcmp(type, "IDAT", 4) != 0 && memcmp(type, "IEND", 4) != 0) {
        /* IHDR comes once. A chunk that the standard does not know changes how the file is coded (14.2). */
        return memcmp(type, "IHDR", 4) == 0 ? PLEURA_IMAGE_DAMAGED : PLEURA_IMAGE_UNSUPPORTED;
    }
    return PLEURA_OK;
}

/* Returns 1 if the chunk is named by four letters (5.3). */
static int is_type(const uint8_t *type)
{
    for (int i = 0; i < 4; i++)
        if ((type[i] | 32) < 'a' || (type[i] | 32) > 'z') return 0;
    return 1;
}

pleura_status png_check(png_header *out, const uint8_t *bytes, size_t size)
{
    png_header h = {0};
    int end = 0;
    for (size_t at = FIRST_CHUNK; !end;) { /* PNG specification, 5.3 */
        if (size - at < 12) return PLEURA_IMAGE_DAMAGED;
        uint32_t length = be32(bytes + at);
        const uint8_t *type = bytes + at + 4;
        if (length > size - at - 12 || !is_type(type)) return PLEURA_IMAGE_DAMAGED;
        int is_sound = crc32_of(type, (size_t)length + 4) == be32(type + 4 + length), is_ancillary = type[0] & 32;
        pleura_status status = PLEURA_OK;
        if (!is_sound && !is_ancillary) return PLEURA_IMAGE_DAMAGED;
        if (at == FIRST_CHUNK && memcmp(type, "CgBI", 4) == 0) return PLEURA_PNG_APPLE;
        if (at == FIRST_CHUNK && (memcmp(type, "IHDR", 4) != 0 || length != 13)) return PLEURA_IMAGE_DAMAGED;
        if (at == FIRST_CHUNK) status = read_header(&h, type + 4, size);
        else if (!is_ancillary) status = read_critical(&h, type, length);
        else if (memcmp(type, "tRNS", 4) == 0) h.has_transparency = 1;
        else if (is_sound) read_ancillary(&h, type, length);
        if (status) return status;
        end = memcmp(type, "IEND", 4) == 0;
        at += (size_t)length + 12;
    }
    *out = h;
    return PLEURA_OK;
}

int png_profile_text(const uint8_t **text, size_t *size, const png_header *h)
{
    /* zTXt: keyword, 0, compression method, data. tEXt: keyword, 0, text. iTXt: keyword, 0, whether it is compressed,
     * compression method, language, 0, translated keyword, 0, text (PNG, 11.3.3). */
    const uint8_t *at = h->profile + 4 + strlen(PROFILES[0]) + 1, *end = h->profile + h->profile_size;
    int is_compressed = h->profile[0] == 'z';
    if (h->profile[0] == 'z') at++;
    if (h->profile[0] == 'i' && end - at >= 2) {
        is_compressed = at[0] == 1, at += 2;
        for (int zeros = 0; zeros < 2 && at < end; at++) zeros += *at == 0;
    }
    *text = at, *size = (size_t)(end - at);
    return is_compressed;
}

void png_hide_transparency(uint8_t *bytes, size_t size)
{
    for (size_t at = FIRST_CHUNK; size - at >= 12; at += (size_t)be32(bytes + at) + 12) {
        uint8_t *type = bytes + at + 4;
        if (memcmp(type, "IEND", 4) == 0) return;
        if (memcmp(type, "tRNS", 4) == 0) type[0] = 'x'; /* an unknown chunk */
    }
}

void png_show_indices(uint8_t *bytes) { bytes[COLOUR_TYPE] = 0; }

int png_has_colours(const png_header *h, const uint8_t *samples, size_t count)
{
    uint32_t step = 255 / (h->indices - 1); /* between the grey levels of two indices */
    for (size_t i = 0; i < count; i++)
        if (samples[i] >= h->colours * step) return 0;
    return 1;
}
