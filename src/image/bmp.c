/* bmp.c - checks BMP files.
 *
 * A BMP is a file header of 14 bytes, an information header whose own size tells its version, perhaps colour masks or a
 * palette, and rows of pixels padded to 4 bytes. */
#include "image/bmp.h"

#include "image/endian.h"
#include "image/limits.h"

/* Sizes of headers: OS/2 version 1 (BITMAPCOREHEADER), Windows 3 (BITMAPINFOHEADER) and its later versions. */
enum { FILE_HEADER = 14, CORE = 12, INFO = 40, INFO_V3 = 56, INFO_V4 = 108, INFO_V5 = 124 };
enum { BI_RGB = 0, BI_BITFIELDS = 3 }; /* compression: none; none, with a mask per channel */

typedef struct {
    uint32_t header;       /* size of the information header */
    uint32_t offset;       /* of the pixels in the file */
    int64_t width, height; /* height is negative in a file whose top row comes first; here it is positive */
    uint32_t bits;         /* per pixel */
    uint32_t compression;
} bmp_header;

static uint64_t row_size(const bmp_header *h) { return ((uint64_t)h->width * h->bits + 31) / 32 * 4; }

/* Returns 1 if every pixel is in the palette; stb_image reads uninitialised memory for indices outside it. */
static int has_colours(const uint8_t *rows, const bmp_header *h, uint32_t colours)
{
    if (colours >> h->bits) return 1;
    for (int64_t y = 0; y < h->height; y++, rows += row_size(h))
        for (int64_t x = 0; x < h->width; x++) {
            uint32_t shift = 8 - h->bits - (uint32_t)x * h->bits % 8;
            if ((rows[x * h->bits / 8] >> shift & ((1u << h->bits) - 1)) >= colours) return 0;
        }
    return 1;
}

/* Returns 1 if stb_image reads a channel with this mask correctly: 1 to 8 adjacent bits. */
static int is_mask(uint32_t mask)
{
    while (mask && !(mask & 1)) mask >>= 1;
    return mask && mask < 256 && !(mask & (mask + 1));
}

/* Checks what stands between the headers and the pixels: nothing, masks or a palette. */
static pleura_status check_colours(const uint8_t *bytes, const bmp_header *h)
{
    uint32_t masks = h->compression == BI_BITFIELDS && h->header == INFO ? 12 : 0,
             start = FILE_HEADER + h->header + masks;
    if (h->offset < start) return PLEURA_IMAGE_DAMAGED;
    if (h->header == CORE && h->bits < 16)
        return PLEURA_IMAGE_UNSUPPORTED; /* stb_image 2.27 reads OS/2 palettes four colours too short */
    if (h->bits >= 16) {
        if (h->offset != start) return PLEURA_IMAGE_UNSUPPORTED; /* a suggested palette */
        for (uint32_t i = 0; h->compression == BI_BITFIELDS && i < 3; i++)
            if (!is_mask(le32(bytes + 54 + 4 * i))) return PLEURA_IMAGE_UNSUPPORTED;
        return PLEURA_OK;
    }
    return has_colours(bytes + h->offset, h, (h->offset - start) / 4) ? PLEURA_OK : PLEURA_IMAGE_DAMAGED;
}

/* Returns 1 if stb_image decodes this kind of BMP. It knows no run lengths and no 2-bit pixels, and it looks for the
 * masks of a 56-byte header behind it instead of in it. Headers of other sizes are OS/2 version 2 and rarer ones. */
static int is_supported(const bmp_header *h)
{
    uint32_t n = h->bits;
    int known =
        h->header == CORE || h->header == INFO || h->header == INFO_V3 || h->header == INFO_V4 || h->header == INFO_V5;
    int masked = h->compression == BI_BITFIELDS && (n == 16 || n == 32) && h->header != INFO_V3;
    int depth = n == 1 || n == 4 || n == 8 || n == 16 || n == 24 || n == 32;
    return known && depth && (h->compression == BI_RGB || masked);
}

pleura_status bmp_check(const uint8_t *bytes, size_t size)
{
    if (size < 26) return PLEURA_IMAGE_DAMAGED;
    bmp_header h = {.header = le32(bytes + 14), .offset = le32(bytes + 10)};
    if (h.header == CORE) { /* OS/2 version 1: 16-bit sizes, no compression */
        h.width = le16(bytes + 18), h.height = le16(bytes + 20), h.bits = le16(bytes + 24);
    } else {
        if (size < 54) return PLEURA_IMAGE_DAMAGED;
        h.width = (int32_t)le32(bytes + 18), h.height = (int32_t)le32(bytes + 22);
        h.bits = le16(bytes + 28), h.compression = le32(bytes + 30);
    }
    if (h.height < 0) h.height = -h.height;
    pleura_status status = image_check_size(h.width, h.height);
    if (status) return status;
    if (!is_supported(&h)) return PLEURA_IMAGE_UNSUPPORTED;
    if (size < FILE_HEADER + h.header + 12 || h.offset + row_size(&h) * (uint64_t)h.height > size)
        return PLEURA_IMAGE_DAMAGED;
    return check_colours(bytes, &h);
}
