/* bmp.c - decodes BMP files.
 *
 * A BMP is a file header of 14 bytes, an information header whose own size tells its version, perhaps colour masks or a
 * palette, perhaps a gap, and rows of pixels padded to 4 bytes. The file header says where the rows begin. */
#include "image/bmp.h"

#include <stdlib.h>

#include "image/endian.h"

/* Sizes of headers: OS/2 version 1 (BITMAPCOREHEADER), Windows 3 (BITMAPINFOHEADER), the same with masks inside, OS/2
 * version 2, Windows 4 and 5. */
enum { FILE_HEADER = 14, CORE = 12, INFO = 40, INFO_V2 = 52, INFO_V3 = 56, OS2_V2 = 64, INFO_V4 = 108, INFO_V5 = 124 };
/* Compression: none; none, with a mask per channel; the same with alpha. OS/2 gives 3 another meaning. */
enum { BI_RGB = 0, BI_BITFIELDS = 3, BI_ALPHABITFIELDS = 6 };
enum { MASKS = FILE_HEADER + INFO }; /* offset of the masks, in every header that has them and behind INFO */

typedef struct {
    uint32_t header;       /* size of the information header */
    uint32_t offset;       /* of the pixels in the file */
    int64_t width, height; /* height is positive */
    int top_down;          /* the top row comes first: a negative height in the file */
    uint32_t bits;         /* per pixel */
    uint32_t compression;
    uint32_t colours; /* entries of the palette */
    uint32_t start;   /* offset behind headers and masks, where the palette begins */
} bmp_header;

/* One channel of a pixel of 16, 24 or 32 bits. */
typedef struct {
    uint32_t shift, bits;
} channel;

static size_t row_size(const bmp_header *h) { return (size_t)(((uint64_t)h->width * h->bits + 31) / 32 * 4); }

/* Returns 1 if the mask is made of adjacent bits. */
static int read_mask(channel *out, uint32_t mask)
{
    *out = (channel){0, 0};
    for (; mask && !(mask & 1); mask >>= 1) out->shift++;
    for (; mask & 1; mask >>= 1) out->bits++;
    return out->bits && !mask;
}

/* Returns a channel in 8 bits: fewer are repeated until they fill 8, and of more the highest 8 are used. */
static uint8_t read_channel(uint32_t pixel, const channel *c)
{
    uint32_t bits = c->bits, value = pixel >> c->shift & (uint32_t)(((uint64_t)1 << bits) - 1);
    if (bits > 8) return (uint8_t)(value >> (bits - 8));
    for (; bits < 8; bits *= 2) value = value << bits | value;
    return (uint8_t)(value >> (bits - 8));
}

static void read_row(uint8_t *out, const uint8_t *row, const bmp_header *h, const channel *channels)
{
    for (int64_t x = 0; x < h->width; x++) {
        uint32_t pixel = 0;
        for (uint32_t i = 0; i < h->bits / 8; i++) pixel |= (uint32_t)*row++ << 8 * i;
        for (int c = 0; c < 3; c++) *out++ = read_channel(pixel, channels + c);
    }
}

/* Returns 0 if a pixel is outside the palette, whose entries have `entry` bytes: B, G, R and, but for OS/2, a zero. */
static int read_indices(uint8_t *out, const uint8_t *row, const bmp_header *h, const uint8_t *palette, uint32_t entry)
{
    for (int64_t x = 0; x < h->width; x++) {
        uint32_t shift = 8 - h->bits - (uint32_t)x * h->bits % 8;
        uint32_t index = row[x * h->bits / 8] >> shift & ((1u << h->bits) - 1);
        if (index >= h->colours) return 0;
        for (int c = 2; c >= 0; c--) *out++ = palette[index * entry + (uint32_t)c];
    }
    return 1;
}

static int is_masked(const bmp_header *h)
{
    return h->header != OS2_V2 && (h->compression == BI_BITFIELDS || h->compression == BI_ALPHABITFIELDS) &&
        (h->bits == 16 || h->bits == 32);
}

static int is_supported(const bmp_header *h)
{
    static const uint8_t headers[] = {CORE, INFO, INFO_V2, INFO_V3, OS2_V2, INFO_V4, INFO_V5};
    uint32_t n = h->bits;
    int known = 0;
    for (size_t i = 0; i < sizeof headers; i++) known |= h->header == headers[i];
    int depth = n == 1 || n == 2 || n == 4 || n == 8 || n == 16 || n == 24 || n == 32;
    return known && depth;
}

static pleura_status read_header(bmp_header *out, const uint8_t *bytes, size_t size)
{
    if (size < 26) return PLEURA_IMAGE_DAMAGED;
    bmp_header h = {.header = le32(bytes + 14), .offset = le32(bytes + 10)};
    uint32_t colours = 0;
    if (h.header == CORE) { /* 16-bit sizes, no compression */
        h.width = le16(bytes + 18), h.height = le16(bytes + 20), h.bits = le16(bytes + 24);
    } else {
        if (size < FILE_HEADER + INFO) return PLEURA_IMAGE_DAMAGED;
        h.width = (int32_t)le32(bytes + 18), h.height = (int32_t)le32(bytes + 22);
        h.bits = le16(bytes + 28), h.compression = le32(bytes + 30), colours = le32(bytes + 46);
    }
    if (h.height < 0) h.height = -h.height, h.top_down = 1;
    pleura_status status = image_check_size(h.width, h.height);
    if (status) return status;
    if (!is_supported(&h)) return PLEURA_BMP_LAYOUT;
    if (h.compression != BI_RGB && !is_masked(&h)) return PLEURA_BMP_COMPRESSED;
    h.start = FILE_HEADER + h.header;
    if (is_masked(&h) && h.header == INFO) h.start += h.compression == BI_BITFIELDS ? 12 : 16;
    if (h.start > size || h.offset < h.start) return PLEURA_IMAGE_DAMAGED;
    if (h.offset + row_size(&h) * (uint64_t)h.height > size) return PLEURA_IMAGE_DAMAGED;
    if (h.bits <= 8) {
        uint32_t space = (h.offset - h.start) / (h.header == CORE ? 3 : 4);
        h.colours = colours && colours < 1u << h.bits ? colours : 1u << h.bits;
        if (h.colours > space) h.colours = space;
    }
    *out = h;
    return PLEURA_OK;
}

/* Reads the masks of a file, or those that the format prescribes: 5 bits per channel of 16, 8 of 24 and 32. */
static int read_channels(channel *out, const uint8_t *bytes, const bmp_header *h)
{
    for (uint32_t c = 0; c < 3; c++) {
        uint32_t bits = h->bits == 16 ? 5 : 8, mask = ((1u << bits) - 1) << (2 - c) * bits;
        if (is_masked(h)) mask = le32(bytes + MASKS + 4 * c);
        if (!read_mask(out + c, mask)) return 0;
    }
    return 1;
}

pleura_status bmp_decode(film_samples *out, const uint8_t *bytes, size_t size)
{
    bmp_header h;
    channel channels[3];
    pleura_status status = read_header(&h, bytes, size);
    if (status) return status;
    if (h.bits > 8 && !read_channels(channels, bytes, &h)) return PLEURA_BMP_LAYOUT;
    uint8_t *pixels = malloc((size_t)h.width * (size_t)h.height * 3);
    if (!pixels) return PLEURA_MEMORY;
    int sound = 1;
    for (int64_t y = 0; y < h.height && sound; y++) {
        const uint8_t *row = bytes + h.offset + row_size(&h) * (size_t)y;
        uint8_t *line = pixels + (size_t)(h.top_down ? y : h.height - 1 - y) * (size_t)h.width * 3;
        if (h.bits > 8) read_row(line, row, &h, channels);
        else sound = read_indices(line, row, &h, bytes + h.start, h.header == CORE ? 3 : 4);
    }
    if (!sound) {
        free(pixels);
        return PLEURA_IMAGE_DAMAGED;
    }
    *out = (film_samples){.bytes = pixels, .width = (int)h.width, .height = (int)h.height, .channels = 3};
    return PLEURA_OK;
}
