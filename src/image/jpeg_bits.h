/* jpeg_bits.h - tables and entropy-coded bits of JPEG (ITU-T T.81). Everything is inline because jpeg.c and
 * jpeg_decode.c read every bit of a file through it. */
#ifndef PLEURA_JPEG_BITS_H
#define PLEURA_JPEG_BITS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SOF0 = 0xc0,
    SOF2 = 0xc2,
    SOF3 = 0xc3,
    DHT = 0xc4,
    RST0 = 0xd0,
    EOI = 0xd9,
    SOS = 0xda,
    DQT = 0xdb,
    DRI = 0xdd,
    APP1 = 0xe1
};

/* The first channel of that name in the segment of SOFn, -1 for none. */
static inline int channel_of(const uint8_t *frame, int name)
{
    for (int c = 0; c < frame[5]; c++)
        if (frame[6 + 3 * c] == name) return c;
    return -1;
}

/* Whether every Huffman table of a DHT segment has at most 256 symbols and no more codes of a length than there are:
 * stb_image 2.27 writes past its tables otherwise (T.81, B.2.4.2 and annex C). */
static inline int huffman_is_sound(const uint8_t *p, size_t size)
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

/* A Huffman table: codes of `length` bits, left-aligned in 16, are those below limit[length] (T.81, annex C). */
typedef struct {
    uint32_t limit[17];
    int first[17]; /* number of the first symbol of that length, less its code */
    const uint8_t *symbols;
} huffman;

typedef struct {
    const uint8_t *at, *end;
    uint64_t bits; /* left-aligned; zeros behind the last */
    int count;     /* negative once more was taken than there is */
    uint32_t run;  /* blocks of a progressive scan that end at once (G.1.2.2) */
    huffman dc[4], ac[4];
    const uint8_t *quant[4]; /* segment's byte Pq Tq, then 64 values */
    uint32_t restart;        /* MCUs between restart markers, 0 for none */
} decoder;

static inline void read_huffman(decoder *d, const uint8_t *p, size_t size)
{
    while (size) {
        uint32_t code = 0;
        int symbols = 0;
        huffman *t = (p[0] >> 4 ? d->ac : d->dc) + (p[0] & 3);
        t->symbols = p + 17;
        for (int length = 1; length <= 16; length++) {
            t->first[length] = symbols - (int)code;
            symbols += p[length], code += p[length];
            t->limit[length] = code << (16 - length);
            code *= 2;
        }
        p += 17 + symbols, size -= 17 + (size_t)symbols;
    }
}

static inline int read_quant(decoder *d, const uint8_t *p, size_t size)
{
    while (size) {
        size_t length = 1 + (p[0] >> 4 ? 128 : 64);
        if (length > size) return 0;
        d->quant[p[0] & 3] = p;
        p += length, size -= length;
    }
    return 1;
}

/* At least 32 bits, or all up to the next marker. */
static inline void fill(decoder *d)
{
    while (d->count <= 56 && d->at < d->end) {
        if (d->at[0] == 0xff) {
            if (d->end - d->at < 2 || d->at[1] != 0) return;
            d->at++;
            d->bits |= (uint64_t)0xff << (56 - d->count);
        } else {
            d->bits |= (uint64_t)d->at[0] << (56 - d->count);
        }
        d->at++, d->count += 8;
    }
}

static inline uint32_t take(decoder *d, int n)
{
    uint32_t v = (uint32_t)(d->bits >> 32 >> (32 - n));
    d->bits <<= n, d->count -= n;
    return v;
}

/* The next symbol, or -1 for a code that the table lacks. */
static inline int take_symbol(decoder *d, const huffman *t)
{
    if (d->count < 32) fill(d);
    uint32_t code = (uint32_t)(d->bits >> 48);
    for (int length = 1; length <= 16; length++)
        if (code < t->limit[length]) return t->symbols[t->first[length] + (int)take(d, length)];
    return -1;
}

static inline uint32_t take_bit(decoder *d)
{
    if (d->count < 1) fill(d);
    return take(d, 1);
}

/* To behind the next restart marker. Returns 0 when it is not there. */
static inline int restart(decoder *d)
{
    d->bits = 0, d->count = 0, d->run = 0;
    while (d->end - d->at >= 2 && d->at[0] == 0xff && d->at[1] == 0xff) d->at++;
    if (d->end - d->at < 2 || d->at[0] != 0xff || d->at[1] < RST0 || d->at[1] >= RST0 + 8) return 0;
    d->at += 2;
    return 1;
}

/* n bits as a signed difference (T.81, F.2.2.1). */
static inline int take_signed(decoder *d, int n)
{
    if (n == 0) return 0;
    int v = (int)take(d, n);
    return v < 1 << (n - 1) ? v - (1 << n) + 1 : v;
}

#endif
