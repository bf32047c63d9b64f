/* jpeg.c - walks JPEG files, each segment and block; decodes lossless scans and sequential scans of 12 bits (ITU-T
 * T.81). */
#include "image/jpeg.h"

#include <stdlib.h>
#include <string.h>

#include "image/endian.h"
#include "image/limits.h"

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

/* Encoders write about ten; each goes over the whole film, however little there is in it. */
enum { MAX_SCANS = 100 };

/* Orientation 1..8 from a TIFF header with its first directory (EXIF 2.3, 4.6.4 A), 1 when it is not there. */
static int exif_orientation(const uint8_t *tiff, size_t size)
{
    if (size < 8) return 1;
    int big = tiff[0] == 'M';
    if (memcmp(tiff, big ? "MM\0*" : "II*\0", 4) != 0) return 1;
    uint32_t at = big ? be32(tiff + 4) : le32(tiff + 4);
    if (at > size - 2) return 1;
    uint32_t count = big ? be16(tiff + at) : le16(tiff + at);
    const uint8_t *entry = tiff + at + 2;
    for (size_t left = (size - at - 2) / 12; count && left; count--, left--, entry += 12) {
        if ((big ? be16(entry) : le16(entry)) != 0x0112) continue;
        uint32_t value = big ? be16(entry + 8) : le16(entry + 8);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

/* Whether every Huffman table of a DHT segment has at most 256 symbols and no more codes of a length than there are:
 * stb_image 2.27 writes past its tables otherwise (T.81, B.2.4.2 and annex C). */
static int huffman_is_sound(const uint8_t *p, size_t size)
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

static void read_huffman(decoder *d, const uint8_t *p, size_t size)
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

static int read_quant(decoder *d, const uint8_t *p, size_t size)
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
static void fill(decoder *d)
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

static uint32_t take(decoder *d, int n)
{
    uint32_t v = (uint32_t)(d->bits >> 32 >> (32 - n));
    d->bits <<= n, d->count -= n;
    return v;
}

/* The next symbol, or -1 for a code that the table lacks. */
static int take_symbol(decoder *d, const huffman *t)
{
    if (d->count < 32) fill(d);
    uint32_t code = (uint32_t)(d->bits >> 48);
    for (int length = 1; length <= 16; length++)
        if (code < t->limit[length]) return t->symbols[t->first[length] + (int)take(d, length)];
    return -1;
}

static uint32_t take_bit(decoder *d)
{
    if (d->count < 1) fill(d);
    return take(d, 1);
}

/* To behind the next restart marker. Returns 0 when it is not there. */
static int restart(decoder *d)
{
    d->bits = 0, d->count = 0, d->run = 0;
    while (d->end - d->at >= 2 && d->at[0] == 0xff && d->at[1] == 0xff) d->at++;
    if (d->end - d->at < 2 || d->at[0] != 0xff || d->at[1] < RST0 || d->at[1] >= RST0 + 8) return 0;
    d->at += 2;
    return 1;
}

/* n bits as a signed difference (T.81, F.2.2.1). */
static int take_signed(decoder *d, int n)
{
    if (n == 0) return 0;
    int v = (int)take(d, n);
    return v < 1 << (n - 1) ? v - (1 << n) + 1 : v;
}

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

/* What the walk over a file has met. */
typedef struct {
    jpeg_header header;
    const uint8_t *frame; /* the segment of SOFn */
    uint32_t scanned;     /* bit c: channel c is in a scan */
    decoder data;         /* tables and restart interval as they are where the walk is */
    uint64_t *nonzero[4]; /* of a channel's blocks in a progressive file: bit k: coefficient k is not zero; owned */
    uint16_t *values;     /* where the first scan goes, NULL where it is only checked */
} walk;

static pleura_status read_frame(jpeg_header *out, int marker, const uint8_t *segment, size_t length)
{
    if (length < 8) return PLEURA_IMAGE_DAMAGED;
    out->process = marker - SOF0;
    out->bits = segment[0];
    out->height = (int)be16(segment + 1), out->width = (int)be16(segment + 3);
    out->channels = segment[5];
    return length < 8 + 3 * (size_t)out->channels ? PLEURA_IMAGE_DAMAGED : image_check_size(out->width, out->height);
}

/* One segment; *at is at its marker's second byte and goes to the next marker. */
static pleura_status check_segment(walk *w, int marker, const uint8_t *bytes, size_t size, size_t *at)
{
    jpeg_header *h = &w->header;
    if (size - *at < 2) return PLEURA_IMAGE_DAMAGED;
    size_t length = be16(bytes + *at);
    if (length < 2 || length > size - *at) return PLEURA_IMAGE_DAMAGED;
    const uint8_t *segment = bytes + *at + 2;
    if (marker >= SOF0 && marker <= 0xcf && marker != DHT && marker != 0xc8 && marker != 0xcc) {
        pleura_status status = w->frame ? PLEURA_IMAGE_DAMAGED : read_frame(h, marker, segment, length);
        if (status) return status;
        w->frame = segment;
    }
    if (marker == DRI && length >= 4) w->data.restart = be16(segment);
    if (marker == DQT && !read_quant(&w->data, segment, length - 2)) return PLEURA_IMAGE_DAMAGED;
    if (marker == DHT) {
        if (!huffman_is_sound(segment, length - 2)) return PLEURA_IMAGE_DAMAGED;
        read_huffman(&w->data, segment, length - 2);
    }
    if (marker == APP1 && length >= 16 && memcmp(segment, "Exif\0\0", 6) == 0)
        h->orientation = exif_orientation(segment + 6, length - 8);
    *at += length;
    return PLEURA_OK;
}

static uint32_t parts(uint32_t whole, uint32_t part) { return (whole + part - 1) / part; }

/* The first channel of that name, -1 for none. */
static int channel_of(const walk *w, int name)
{
    for (int c = 0; c < w->header.channels; c++)
        if (w->frame[6 + 3 * c] == name) return c;
    return -1;
}

/* How many units a scan codes (T.81, A.2): blocks of a channel alone, or blocks of all its channels side by side; a
 * unit of the lossless processes is a sample. Notes its channels, of a progressive file those with their DC
 * coefficients, which come first (G.1.1.1). 0 for a scan that does not fit its frame. */
static uint32_t scan_units(walk *w, const uint8_t *scan, size_t length)
{
    const jpeg_header *h = &w->header;
    const uint8_t *frame = w->frame, *alone = NULL;
    uint32_t wide = 1, high = 1, unit = (h->process & 3) == 3 ? 1 : 8;
    if (!frame || length < 6 || length < 6 + 2 * (size_t)scan[0] || !scan[0]) return 0;
    for (int c = 0; c < h->channels; c++) {
        uint32_t across = frame[7 + 3 * c] >> 4, down = frame[7 + 3 * c] & 15;
        if (!across || !down) return 0;
        wide = across > wide ? across : wide, high = down > high ? down : high;
    }
    int later = (h->process & 3) == 2 && scan[1 + 2 * scan[0]];
    for (int i = 0; i < scan[0]; i++) {
        int c = channel_of(w, scan[1 + 2 * i]);
        uint32_t bit = c >= 0 && c < 32 ? 1u << c : 0;
        if (c < 0 || (later && !(w->scanned & bit))) return 0;
        w->scanned |= bit;
        alone = frame + 6 + 3 * c;
    }
    uint32_t width = (uint32_t)h->width, height = (uint32_t)h->height;
    if (scan[0] > 1) return parts(width, unit * wide) * parts(height, unit * high);
    return parts(parts(width * (alone[1] >> 4), wide), unit) * parts(parts(height * (alone[1] & 15), high), unit);
}

/* A channel's share in a scan. */
typedef struct {
    const huffman *dc, *ac;
    uint32_t blocks;   /* in each unit */
    uint64_t *nonzero; /* as in `walk`, NULL before its first scan of AC coefficients */
} share;

/* The band of AC coefficients of a block, when it is new (T.81, F.2.2.2 and G.1.2.2). `how`, as in a scan's header: its
 * first coefficient, its last, bits known and left out. nonzero: NULL in a sequential file. Returns 0 when it is
 * damaged. */
static int pass_band(decoder *d, const huffman *ac, const uint8_t *how, uint64_t *nonzero)
{
    if (d->run) return d->run--, 1;
    for (int k = how[0] ? how[0] : 1; k <= how[1]; k++) {
        int symbol = take_symbol(d, ac), zeros = symbol >> 4, bits = symbol & 15;
        if (symbol < 0) return 0;
        if (!bits && zeros < 15) {
            if (nonzero) d->run = (1u << zeros) - 1 + take(d, zeros);
            return 1;
        }
        k += zeros;
        if (k > how[1] || bits + (how[2] & 15) > 15) return 0;
        take(d, bits);
        if (nonzero && bits) *nonzero |= (uint64_t)1 << k;
    }
    return 1;
}

/* One more bit of the band (G.1.2.3): of every coefficient that was not zero, and a symbol for each that is so no more.
 */
static int pass_band_again(decoder *d, const huffman *ac, const uint8_t *how, uint64_t *nonzero)
{
    uint64_t known = *nonzero;
    for (int k = how[0]; k <= how[1]; k++) {
        int zeros = 64, bits = 0;
        if (!d->run) {
            int symbol = take_symbol(d, ac);
            if (symbol < 0 || (symbol & 15) > 1) return 0;
            zeros = symbol >> 4, bits = symbol & 15;
            if (!bits && zeros < 15) d->run = (1u << zeros) + take(d, zeros), zeros = 64;
            take(d, bits);
        }
        for (; k <= how[1]; k++)
            if (known >> k & 1) take_bit(d);
            else if (zeros-- == 0) break;
        if (k <= how[1] && bits) *nonzero |= (uint64_t)1 << k;
    }
    if (d->run) d->run--;
    return 1;
}

/* One block of a scan, the unit's number being that of its channel's blocks where the scan has one channel. */
static int pass_block(decoder *d, const share *s, const uint8_t *how, uint32_t unit)
{
    uint64_t *nonzero = s->nonzero ? s->nonzero + unit : NULL;
    int again = how[2] >> 4;
    if (how[0] == 0 && again) {
        take_bit(d);
    } else if (how[0] == 0) {
        int bits = take_symbol(d, s->dc);
        if (bits < 0 || bits > 15) return 0;
        take(d, bits);
    }
    if (how[1] && !(nonzero && again ? pass_band_again : pass_band)(d, s->ac, how, nonzero)) return 0;
    return d->count >= 0;
}

/* Fills the shares of the channels of a scan. A channel without a quantisation table would be all zeros. */
static pleura_status share_scan(share *shares, walk *w, const uint8_t *scan, int band, uint32_t units)
{
    for (int i = 0; i < scan[0]; i++) {
        int c = channel_of(w, scan[1 + 2 * i]), tables = scan[2 + 2 * i];
        uint32_t factors = w->frame[7 + 3 * c], blocks = scan[0] > 1 ? (factors >> 4) * (factors & 15) : 1;
        if (!w->data.quant[w->frame[8 + 3 * c] & 3]) return PLEURA_IMAGE_DAMAGED;
        if (band && !w->nonzero[c] && !(w->nonzero[c] = calloc(units, sizeof **w->nonzero))) return PLEURA_MEMORY;
        shares[i] = (share){w->data.dc + (tables >> 4 & 3), w->data.ac + (tables & 3), blocks, w->nonzero[c]};
    }
    return PLEURA_OK;
}

/* Whether the data of a scan, from data.at to data.end, last for all its units: stb_image takes zeros for what is not
 * there. Only of the files that it reads. */
static pleura_status check_data(walk *w, const uint8_t *scan, uint32_t units)
{
    static const uint8_t whole[3] = {0, 63, 0};
    const jpeg_header *h = &w->header;
    decoder *d = &w->data;
    int progressive = h->process == 2;
    const uint8_t *how = progressive ? scan + 1 + 2 * scan[0] : whole;
    share shares[4];
    if (h->process > 2 || h->bits != 8 || h->channels > 4) return PLEURA_OK;
    if (scan[0] > 4 || how[0] > how[1] || how[1] > 63) return PLEURA_IMAGE_DAMAGED;
    if (progressive && (how[0] ? scan[0] > 1 : how[1] > 0)) return PLEURA_IMAGE_DAMAGED; /* G.1.1.1 */
    pleura_status status = share_scan(shares, w, scan, progressive && how[0], units);
    if (status) return status;
    for (uint32_t unit = 0; unit < units; unit++) {
        /* Where more than a byte's rest lies before the marker stb_image does not find it. */
        if (d->restart && unit && unit % d->restart == 0 && (d->count > 7 || !restart(d))) return PLEURA_IMAGE_DAMAGED;
        for (int i = 0; i < scan[0]; i++)
            for (uint32_t n = 0; n < shares[i].blocks; n++)
                if (!pass_block(d, shares + i, how, unit)) return PLEURA_IMAGE_DAMAGED;
    }
    return PLEURA_OK;
}

/* A scan of all channels, as `jpeg_decode` says. */
static pleura_status decode_scan(uint16_t *values, walk *w, const uint8_t *scan)
{
    const jpeg_header *h = &w->header;
    if (scan[0] != h->channels) return PLEURA_IMAGE_UNSUPPORTED; /* a scan for each channel */
    for (int c = 0; c < h->channels; c++)
        if (channel_of(w, scan[1 + 2 * c]) != c) return PLEURA_IMAGE_DAMAGED; /* B.2.3: in the order of the frame */
    if (h->process != SOF3 - SOF0) return decode_sequential(values, h, &w->data, scan, w->frame);
    for (int c = 0; h->channels > 1 && c < h->channels; c++)
        if (w->frame[7 + 3 * c] != 0x11) return PLEURA_IMAGE_UNSUPPORTED; /* subsampled */
    return decode_lossless(values, h, &w->data, scan);
}

/* Entropy-coded data up to the next marker that is neither a stuffed zero nor a restart; *at is behind SOS and goes
 * there. stb_image leaves grey what lies behind a restart that is missing. */
static pleura_status check_scan(walk *w, const uint8_t *scan, size_t length, const uint8_t *bytes, size_t size,
                                size_t *at)
{
    uint32_t restarts = 0, units = scan_units(w, scan, length);
    decoder *d = &w->data;
    d->at = bytes + *at, d->bits = 0, d->count = 0, d->run = 0;
    for (; size - *at >= 2; ++*at) {
        int marker = bytes[*at] == 0xff ? bytes[*at + 1] : 0;
        if (marker >= RST0 && marker < RST0 + 8) {
            if ((uint32_t)(marker - RST0) != restarts % 8) return PLEURA_IMAGE_DAMAGED;
            restarts++;
        } else if (marker && marker != 0xff) {
            break;
        }
    }
    /* Some write one more behind the last unit. */
    uint32_t least = d->restart ? (units - 1) / d->restart : 0, most = d->restart ? units / d->restart : 0;
    uint16_t *values = w->values;
    d->end = bytes + *at, w->values = NULL;
    if (!units || restarts < least || restarts > most) return PLEURA_IMAGE_DAMAGED;
    return values ? decode_scan(values, w, scan) : check_data(w, scan, units);
}

static pleura_status walk_file(walk *w, const uint8_t *bytes, size_t size)
{
    int scans = 0;
    if (size < 2 || be16(bytes) != 0xffd8) return PLEURA_IMAGE_DAMAGED;
    for (size_t at = 2;;) {
        if (size - at < 2 || bytes[at] != 0xff) return PLEURA_IMAGE_DAMAGED;
        int marker = bytes[at + 1];
        if (marker == 0xff) {
            at++;
            continue;
        } /* fill byte, B.1.1.2 */
        at += 2;
        if (marker == EOI) {
            uint32_t channels = (uint32_t)w->header.channels, all = channels < 32 ? (1u << channels) - 1 : ~0u;
            if (!w->header.bits || w->scanned != all) return PLEURA_IMAGE_DAMAGED;
            return PLEURA_OK;
        }
        if (marker < SOF0) return PLEURA_IMAGE_DAMAGED; /* reserved */
        if (marker >= RST0 && marker < RST0 + 8) continue;
        size_t start = at;
        pleura_status status = check_segment(w, marker, bytes, size, &at);
        if (!status && marker == SOS && ++scans > MAX_SCANS) status = PLEURA_IMAGE_UNSUPPORTED;
        if (!status && marker == SOS) status = check_scan(w, bytes + start + 2, at - start, bytes, size, &at);
        if (status) return status;
    }
}

pleura_status jpeg_check(jpeg_header *out, const uint8_t *bytes, size_t size)
{
    walk w = {.header = {.orientation = 1}};
    pleura_status status = walk_file(&w, bytes, size);
    if (!status) *out = w.header;
    for (int c = 0; c < 4; c++) free(w.nonzero[c]);
    return status;
}

pleura_status jpeg_decode(uint16_t *values, const jpeg_header *h, const uint8_t *bytes, size_t size)
{
    int lossless = h->process == SOF3 - SOF0 && h->bits >= 2 && h->bits <= 16 && h->channels >= 1;
    int sequential = h->process < SOF2 - SOF0 && h->bits == 12 && h->channels == 1;
    if (!lossless && !sequential) return PLEURA_IMAGE_UNSUPPORTED;
    walk w = {.values = values};
    return walk_file(&w, bytes, size);
}
