/* jpeg_bits.h - headers, tables and entropy-coded bits of JPEG (ITU-T T.81).
 *
 * A scan is a sequence of Huffman codes, each followed by a few plain bits. The symbol of a code tells how many bits
 * follow and, among AC coefficients, how many zeros come before them. All functions are inline because jpeg.c and
 * jpeg_decode.c read every bit of a film through them and nothing is inlined across files. */
#ifndef PLEURA_JPEG_BITS_H
#define PLEURA_JPEG_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Markers, table B.1. SOFn is SOF0 + n; JPG and DAC are no frames although they lie among them. */
enum {
    SOF0 = 0xc0,
    SOF2 = 0xc2,
    SOF3 = 0xc3,
    DHT = 0xc4,
    JPG = 0xc8,
    DAC = 0xcc,
    SOF15 = 0xcf,
    RST0 = 0xd0,
    RST7 = 0xd7,
    EOI = 0xd9,
    SOS = 0xda,
    DQT = 0xdb,
    DRI = 0xdd,
    DHP = 0xde,
    APP1 = 0xe1,
    SOF55 = 0xf7
};

/* Headers are read where they lie in the file, from behind their length:
 *
 *   frame (SOFn, B.2.2): bits per sample, height in 2 bytes, width in 2 bytes, components; per component: its
 *     identifier, sampling factors (horizontal in the high half of the byte, vertical in the low), quantisation table
 *   scan (SOS, B.2.3): components; per component: its identifier, Huffman tables (DC high, AC low); then the band:
 *     first coefficient or lossless predictor, last coefficient, bit positions (known before, left out) */
static inline const uint8_t *frame_entry(const uint8_t *frame, int i) { return frame + 6 + 3 * i; }
static inline const uint8_t *scan_entry(const uint8_t *scan, int i) { return scan + 1 + 2 * i; }
static inline const uint8_t *scan_band(const uint8_t *scan) { return scan + 1 + 2 * scan[0]; }

/* Returns the number in the frame of the first component with this identifier, -1 for none. */
static inline int find_component(const uint8_t *frame, int identifier)
{
    for (int i = 0; i < frame[5]; i++)
        if (frame_entry(frame, i)[0] == identifier) return i;
    return -1;
}

/* A Huffman table: codes of `length` bits, left-aligned in 16, are those below limit[length] (annex C). */
typedef struct {
    uint32_t limit[17];
    int first[17]; /* index of the first symbol of that length, minus its code */
    const uint8_t *symbols;
    uint16_t shortcut[256]; /* for the next eight bits: length and symbol of a code that they begin with, else 0 */
} huffman;

typedef struct {
    const uint8_t *at, *end;
    uint64_t bits;    /* the next bits, left-aligned; zeros follow the last one */
    int count;        /* how many bits there are; negative once more were read than there are */
    uint32_t eob_run; /* blocks of a progressive scan that have no more coefficients in the band (G.1.2.2) */
    huffman dc[4], ac[4];
    const uint8_t *quant[4];   /* a byte whose high half is 0 for 8-bit and 1 for 16-bit values, then 64 values */
    uint32_t restart_interval; /* MCUs between restart markers, 0 for none */
} jpeg_reader;

/* Returns 1 if every table of a DHT segment has at most 256 symbols and no more codes of a length than exist (B.2.4.2
 * and annex C). stb_image 2.27 would write past its own tables for others. */
static inline int huffman_is_valid(const uint8_t *p, size_t size)
{
    while (size) {
        if (size < 17) return 0;
        uint32_t symbols = 0, codes = 1;
        for (int i = 1; i <= 16; i++) {
            codes *= 2;
            if (p[i] > codes) return 0;
            codes -= p[i], symbols += p[i];
        }
        if (symbols > 256 || symbols > size - 17) return 0;
        p += 17 + symbols, size -= 17 + symbols;
    }
    return 1;
}

/* Reads the tables of a valid DHT segment. */
static inline void read_huffman(jpeg_reader *r, const uint8_t *p, size_t size)
{
    while (size) {
        uint32_t code = 0, next = 0;
        int symbols = 0;
        huffman *t = (p[0] >> 4 ? r->ac : r->dc) + (p[0] & 3);
        t->symbols = p + 17;
        memset(t->shortcut, 0, sizeof t->shortcut);
        for (int length = 1; length <= 16; length++) {
            t->first[length] = symbols - (int)code;
            symbols += p[length], code += p[length];
            for (; length <= 8 && next < code << (8 - length); next++)
                t->shortcut[next] =
                    (uint16_t)(length << 8 | t->symbols[t->first[length] + (int)(next >> (8 - length))]);
            t->limit[length] = code << (16 - length);
            code *= 2;
        }
        p += 17 + symbols, size -= 17 + (size_t)symbols;
    }
}

/* Reads the tables of a DQT segment. Returns 0 if it is damaged. */
static inline int read_quant(jpeg_reader *r, const uint8_t *p, size_t size)
{
    while (size) {
        size_t length = 1 + (p[0] >> 4 ? 128 : 64);
        if (length > size) return 0;
        r->quant[p[0] & 3] = p;
        p += length, size -= length;
    }
    return 1;
}

/* Starts on the entropy-coded data from *at to *end. */
static inline void start_bits(jpeg_reader *r, const uint8_t *at, const uint8_t *end)
{
    r->at = at, r->end = end, r->bits = 0, r->count = 0, r->eob_run = 0;
}

/* Loads at least 32 bits, or all up to the next marker. A stuffed zero follows each 0xff of the data (B.1.1.5). */
static inline void fill_bits(jpeg_reader *r)
{
    while (r->count <= 56 && r->at < r->end) {
        if (r->at[0] == 0xff) {
            if (r->end - r->at < 2 || r->at[1] != 0) return;
            r->at++;
            r->bits |= (uint64_t)0xff << (56 - r->count);
        } else {
            r->bits |= (uint64_t)r->at[0] << (56 - r->count);
        }
        r->at++, r->count += 8;
    }
}

/* Returns the next n bits; at most 16 may follow each symbol. */
static inline uint32_t read_bits(jpeg_reader *r, int n)
{
    uint32_t v = (uint32_t)(r->bits >> 32 >> (32 - n));
    r->bits <<= n, r->count -= n;
    return v;
}

/* Returns the next symbol, -1 for a code that the table lacks. */
static inline int read_symbol(jpeg_reader *r, const huffman *t)
{
    if (r->count < 32) fill_bits(r);
    uint32_t code = (uint32_t)(r->bits >> 48);
    int shortcut = t->shortcut[code >> 8];
    if (shortcut) {
        read_bits(r, shortcut >> 8);
        return shortcut & 255;
    }
    for (int length = 9; length <= 16; length++)
        if (code < t->limit[length]) return t->symbols[t->first[length] + (int)read_bits(r, length)];
    return -1;
}

/* Returns the next bit; any number of them may follow each other. */
static inline uint32_t read_bit(jpeg_reader *r)
{
    if (r->count < 1) fill_bits(r);
    return read_bits(r, 1);
}

/* Returns n bits as a signed difference (F.2.2.1). */
static inline int read_signed(jpeg_reader *r, int n)
{
    if (n == 0) return 0;
    int v = (int)read_bits(r, n);
    return v < 1 << (n - 1) ? v - (1 << n) + 1 : v;
}

/* Drops the remaining bits and skips the next restart marker. Returns 0 if there is none. */
static inline int skip_restart(jpeg_reader *r)
{
    r->bits = 0, r->count = 0, r->eob_run = 0;
    while (r->end - r->at >= 2 && r->at[0] == 0xff && r->at[1] == 0xff) r->at++;
    if (r->end - r->at < 2 || r->at[0] != 0xff || r->at[1] < RST0 || r->at[1] > RST7) return 0;
    r->at += 2;
    return 1;
}

#endif
