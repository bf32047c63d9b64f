/* jpeg_decode.c - decodes the two kinds of JPEG that hospitals store in DICOM files and stb_image does not know.
 *
 * A lossless file (T.81, annex H) predicts each sample from its neighbours and stores the difference. A sequential file
 * (annex F) stores blocks of 8 x 8 cosine coefficients, quantised and in zigzag order; 12-bit films differ from the
 * common 8-bit ones only in their range. */
#include "image/jpeg_decode.h"

#include <string.h>

#include "image/endian.h"

/* Predicts a sample from its neighbours: a is on its left, b above it, c above a (table H.1). */
static int predict(int predictor, int a, int b, int c)
{
    switch (predictor) {
    case 1: return a;
    case 2: return b;
    case 3: return c;
    case 4: return a + b - c;
    case 5: return a + ((b - c) >> 1);
    case 6: return b + ((a - c) >> 1);
    default: return (a + b) >> 1;
    }
}

/* Values stay shifted by the point transform until the end. */
static pleura_status decode_lossless(uint16_t *values, const jpeg_header *h, jpeg_reader *r, const uint8_t *scan)
{
    int channels = h->channels, predictor = scan_band(scan)[0], shift = scan_band(scan)[2] & 15;
    uint32_t width = (uint32_t)h->width, lines = r->restart_interval / width; /* between restart markers */
    if (predictor < 1 || predictor > 7 || shift >= h->bits) return PLEURA_IMAGE_UNSUPPORTED;
    if (r->restart_interval % width) return PLEURA_IMAGE_UNSUPPORTED; /* H.1.1: an interval is a number of lines */
    size_t row = (size_t)h->width * (size_t)channels, count = row * (size_t)h->height;
    int first = 1; /* the first line of the image or of an interval is predicted without the one above */
    for (int y = 0; y < h->height; y++, first = 0) {
        if (lines && y && (uint32_t)y % lines == 0) {
            if (!skip_restart(r)) return PLEURA_IMAGE_DAMAGED;
            first = 1;
        }
        uint16_t *v = values + (size_t)y * row;
        for (int x = 0; x < h->width; x++)
            for (int i = 0; i < channels; i++, v++) {
                int bits = read_symbol(r, r->dc + (scan_entry(scan, i)[1] >> 4 & 3));
                if (bits < 0 || bits > 16) return PLEURA_IMAGE_DAMAGED;
                int difference = bits == 16 ? 32768 : read_signed(r, bits);
                int a = x ? v[-channels] : 0, b = first ? 0 : v[-(ptrdiff_t)row],
                    c = x && !first ? v[-(ptrdiff_t)row - channels] : 0;
                int predicted = first ? (x ? a : 1 << (h->bits - shift - 1)) : x ? predict(predictor, a, b, c) : b;
                *v = (uint16_t)(predicted + difference);
            }
        if (r->count < 0) return PLEURA_IMAGE_DAMAGED;
    }
    for (size_t i = 0; shift && i < count; i++) values[i] = (uint16_t)(values[i] << shift);
    return PLEURA_OK;
}

/* One pass of the inverse DCT over eight values `step` apart. It is the integer method of the Independent JPEG Group
 * ("islow", after Loeffler, Ligtenberg and Moschytz, 1989), so 12-bit films look as in other DICOM software. */
static void transform(int32_t *v, int step, int descale)
{
    int32_t z2 = v[2 * step], z3 = v[6 * step], z1 = (z2 + z3) * 4433;
    int32_t even2 = z1 - z3 * 15137, even3 = z1 + z2 * 6270;
    int32_t even0 = (v[0] + v[4 * step]) * 8192, even1 = (v[0] - v[4 * step]) * 8192;
    int32_t sums[4] = {even0 + even3, even1 + even2, even1 - even2, even0 - even3};
    int32_t o0 = v[7 * step], o1 = v[5 * step], o2 = v[3 * step], o3 = v[step];
    int32_t z4 = o1 + o3, z5;
    z1 = (o0 + o3) * -7373, z2 = (o1 + o2) * -20995, z3 = o0 + o2;
    z5 = (z3 + z4) * 9633;
    z3 = z3 * -16069 + z5, z4 = z4 * -3196 + z5;
    int32_t odd[4] = {o3 * 12299 + z1 + z4, o2 * 25172 + z2 + z3, o1 * 16819 + z2 + z4, o0 * 2446 + z1 + z3};
    int32_t half = 1 << (descale - 1);
    for (int i = 0; i < 4; i++) {
        v[i * step] = (sums[i] + odd[i] + half) >> descale;
        v[(7 - i) * step] = (sums[i] - odd[i] + half) >> descale;
    }
}

typedef struct {
    const huffman *dc, *ac;
    const uint8_t *quant; /* as in jpeg_reader */
    int previous;         /* DC coefficient of the block before, from which the next one differs */
} component;

/* Reads one block of 8 x 8 coefficients and dequantises them (F.2.2). Returns 0 if it is damaged. */
static int read_block(int32_t *block, jpeg_reader *r, component *c)
{
    static const uint8_t zigzag[64] = {0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,
                                       12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28,
                                       35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
                                       58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};
    memset(block, 0, 64 * sizeof *block);
    int wide = c->quant[0] >> 4, symbol = read_symbol(r, c->dc);
    if (symbol < 0 || symbol > 15) return 0;
    c->previous += read_signed(r, symbol);
    for (int k = 0;;) {
        int32_t scale = wide ? (int32_t)be16(c->quant + 1 + 2 * k) : c->quant[1 + k];
        block[zigzag[k]] = (k ? read_signed(r, symbol & 15) : c->previous) * scale;
        if (++k > 63) return r->count >= 0;
        symbol = read_symbol(r, c->ac);
        if (symbol < 0) return 0;
        if ((symbol & 15) == 0 && symbol != 0xf0) return r->count >= 0; /* the rest of the block is zero */
        k += symbol >> 4;
        if (k > 63) return 0;
    }
}

/* Turns coefficients into samples, 0..4095, and stores those that lie within the film. */
static void store_block(uint16_t *values, const jpeg_header *h, int32_t *block, int left, int top)
{
    /* Columns keep one extra bit, because 12-bit samples leave no space for more; rows remove it, and the 1/8 of the
     * definition. */
    for (int i = 0; i < 8; i++) transform(block + i, 8, 12);
    for (int i = 0; i < 8; i++) transform(block + 8 * i, 1, 17);
    for (int y = top; y < top + 8 && y < h->height; y++)
        for (int x = left; x < left + 8 && x < h->width; x++) {
            int32_t v = block[(y - top) * 8 + x - left] + 2048;
            values[(size_t)y * (size_t)h->width + (size_t)x] = (uint16_t)(v < 0 ? 0 : v > 4095 ? 4095 : v);
        }
}

/* Decodes one component of 12 bits. Its scan is not interleaved, so its blocks follow each other row by row (A.2.2). */
static pleura_status decode_sequential(uint16_t *values, const jpeg_header *h, jpeg_reader *r, const uint8_t *frame,
                                       const uint8_t *scan)
{
    uint8_t tables = scan_entry(scan, 0)[1];
    component c = {r->dc + (tables >> 4 & 3), r->ac + (tables & 3), r->quant[frame_entry(frame, 0)[2] & 3], 0};
    if (!c.quant) return PLEURA_IMAGE_DAMAGED;
    int32_t block[64];
    uint32_t number = 0;
    for (int y = 0; y < h->height; y += 8)
        for (int x = 0; x < h->width; x += 8, number++) {
            if (r->restart_interval && number && number % r->restart_interval == 0) {
                if (!skip_restart(r)) return PLEURA_IMAGE_DAMAGED;
                c.previous = 0;
            }
            if (!read_block(block, r, &c)) return PLEURA_IMAGE_DAMAGED;
            store_block(values, h, block, x, y);
        }
    return PLEURA_OK;
}

pleura_status jpeg_decode_scan(uint16_t *values, const jpeg_header *h, jpeg_reader *r, const uint8_t *frame,
                               const uint8_t *scan)
{
    if (scan[0] != h->channels) return PLEURA_IMAGE_UNSUPPORTED; /* one scan per component */
    for (int i = 0; i < h->channels; i++)                        /* B.2.3: in the order of the frame */
        if (find_component(frame, scan_entry(scan, i)[0]) != i) return PLEURA_IMAGE_DAMAGED;
    if (h->process != SOF3 - SOF0) return decode_sequential(values, h, r, frame, scan);
    for (int i = 0; h->channels > 1 && i < h->channels; i++)
        if (frame_entry(frame, i)[1] != 0x11) return PLEURA_IMAGE_UNSUPPORTED; /* subsampled */
    return decode_lossless(values, h, r, scan);
}
