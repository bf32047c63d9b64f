/* jpeg_decode.c - decodes lossless scans and sequential scans of 12 bits (ITU-T T.81). */
#include "image/jpeg_decode.h"

#include <string.h>

#include "image/endian.h"

/* Annex H. Values stay shifted by the point transform until the end. */
static pleura_status decode_lossless(uint16_t *values, const jpeg_header *h, decoder *d, const uint8_t *scan)
{
    int channels = h->channels, predictor = scan[1 + 2 * channels], shift = scan[3 + 2 * channels] & 15;
    if (predictor < 1 || predictor > 7 || shift >= h->bits) return PLEURA_IMAGE_UNSUPPORTED;
    if (d->restart % (uint32_t)h->width) return PLEURA_IMAGE_UNSUPPORTED; /* H.1.1: whole lines */
    size_t row = (size_t)h->width * (size_t)channels, count = row * (size_t)h->height;
    uint32_t lines = d->restart / (uint32_t)h->width;
    int first = 1;
    for (int y = 0; y < h->height; y++, first = 0) {
        if (lines && y && (uint32_t)y % lines == 0) {
            if (!restart(d)) return PLEURA_IMAGE_DAMAGED;
            first = 1;
        }
        uint16_t *v = values + (size_t)y * row;
        for (int x = 0; x < h->width; x++)
            for (int c = 0; c < channels; c++, v++) {
                int bits = take_symbol(d, d->dc + (scan[2 + 2 * c] >> 4 & 3));
                if (bits < 0 || bits > 16) return PLEURA_IMAGE_DAMAGED;
                int difference = bits == 16 ? 32768 : take_signed(d, bits);
                int a = x ? v[-channels] : 0, b = first ? 0 : v[-(ptrdiff_t)row],
                    diagonal = x && !first ? v[-(ptrdiff_t)row - channels] : 0;
                int predicted = first          ? (x ? a : 1 << (h->bits - shift - 1))
                    : x == 0 || predictor == 2 ? b
                    : predictor == 1           ? a
                    : predictor == 3           ? diagonal
                    : predictor == 4           ? a + b - diagonal
                    : predictor == 5           ? a + ((b - diagonal) >> 1)
                    : predictor == 6           ? b + ((a - diagonal) >> 1)
                                               : (a + b) >> 1;
                *v = (uint16_t)(predicted + difference);
            }
        if (d->count < 0) return PLEURA_IMAGE_DAMAGED;
    }
    for (size_t i = 0; shift && i < count; i++) values[i] = (uint16_t)(values[i] << shift);
    return PLEURA_OK;
}

/* One pass of the inverse DCT over eight values `step` apart: the integer method of the Independent JPEG Group
 * ("islow", after Loeffler, Ligtenberg and Moschytz, 1989), so that 12-bit films come out as other DICOM software shows
 * them. */
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

/* One block of 8 x 8 coefficients, dequantised (F.2.2). Returns 0 when it is damaged. */
static int read_block(int32_t *block, decoder *d, const huffman *dc, const huffman *ac, const uint8_t *quant,
                      int *previous)
{
    static const uint8_t zigzag[64] = {0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,
                                       12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28,
                                       35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
                                       58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};
    memset(block, 0, 64 * sizeof *block);
    int wide = quant[0] >> 4, bits = take_symbol(d, dc);
    if (bits < 0 || bits > 15) return 0;
    *previous += take_signed(d, bits);
    for (int k = 0;;) {
        int32_t step = wide ? (int32_t)be16(quant + 1 + 2 * k) : quant[1 + k];
        if (k == 0) {
            block[0] = *previous * step;
        } else {
            block[zigzag[k]] = take_signed(d, bits & 15) * step;
        }
        if (++k > 63) return d->count >= 0;
        bits = take_symbol(d, ac);
        if (bits < 0) return 0;
        if ((bits & 15) == 0 && bits != 0xf0) return d->count >= 0; /* end of block */
        k += bits >> 4;
        if (k > 63) return 0;
    }
}

/* One channel of 12 bits: a scan without interleaving, hence block by block (A.2.2). */
static pleura_status decode_sequential(uint16_t *values, const jpeg_header *h, decoder *d, const uint8_t *scan,
                                       const uint8_t *frame)
{
    const uint8_t *quant = d->quant[frame[8] & 3];
    const huffman *dc = d->dc + (scan[2] >> 4 & 3), *ac = d->ac + (scan[2] & 3);
    if (!quant) return PLEURA_IMAGE_DAMAGED;
    int32_t block[64];
    int previous = 0;
    uint32_t number = 0;
    for (int y = 0; y < h->height; y += 8)
        for (int x = 0; x < h->width; x += 8, number++) {
            if (d->restart && number && number % d->restart == 0) {
                if (!restart(d)) return PLEURA_IMAGE_DAMAGED;
                previous = 0;
            }
            if (!read_block(block, d, dc, ac, quant, &previous)) return PLEURA_IMAGE_DAMAGED;
            for (int i = 0; i < 8; i++)
                transform(block + i, 8, 12); /* columns, one bit kept: 12-bit samples have no room for more */
            for (int i = 0; i < 8; i++) transform(block + 8 * i, 1, 17); /* rows, and the 1/8 of the definition */
            for (int i = y; i < y + 8 && i < h->height; i++)
                for (int j = x; j < x + 8 && j < h->width; j++) {
                    int32_t v = block[(i - y) * 8 + j - x] + 2048;
                    values[(size_t)i * (size_t)h->width + (size_t)j] = (uint16_t)(v < 0 ? 0 : v > 4095 ? 4095 : v);
                }
        }
    return PLEURA_OK;
}

pleura_status jpeg_decode_scan(uint16_t *values, const jpeg_header *h, decoder *d, const uint8_t *scan,
                               const uint8_t *frame)
{
    if (scan[0] != h->channels) return PLEURA_IMAGE_UNSUPPORTED; /* a scan for each channel */
    for (int c = 0; c < h->channels; c++)
        if (channel_of(frame, scan[1 + 2 * c]) != c) return PLEURA_IMAGE_DAMAGED; /* B.2.3: in the order of the frame */
    if (h->process != SOF3 - SOF0) return decode_sequential(values, h, d, scan, frame);
    for (int c = 0; h->channels > 1 && c < h->channels; c++)
        if (frame[7 + 3 * c] != 0x11) return PLEURA_IMAGE_UNSUPPORTED; /* subsampled */
    return decode_lossless(values, h, d, scan);
}
