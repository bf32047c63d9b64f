/* jpeg.c - walks JPEG files, each segment and block; decodes lossless scans and sequential scans of 12 bits (ITU-T
 * T.81). */
#include "image/jpeg.h"

#include <stdlib.h>
#include <string.h>

#include "image/endian.h"
#include "image/exif.h"
#include "image/jpeg_decode.h"
#include "image/limits.h"

/* Encoders write about ten; each goes over the whole film, however little there is in it. */
enum { MAX_SCANS = 100 };

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
        int c = channel_of(w->frame, scan[1 + 2 * i]);
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
        int c = channel_of(w->frame, scan[1 + 2 * i]), tables = scan[2 + 2 * i];
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
    return values ? jpeg_decode_scan(values, &w->header, &w->data, scan, w->frame) : check_data(w, scan, units);
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
