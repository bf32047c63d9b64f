/* jpeg.c - walks a JPEG file to its last bit without decoding it (ITU-T T.81).
 *
 * A JPEG is a list of segments, each behind a marker: tables, a frame header with the size, and scans of entropy-coded
 * data. Decoders fill with grey what a truncated or damaged scan lacks, and on a chest film that could pass for a
 * finding. So this walk computes from the frame header how many blocks each scan must hold, reads every Huffman code,
 * and calls a file damaged when a scan ends early. It also keeps away what makes stb_image write past its tables or run
 * without end. */
#include "image/jpeg.h"

#include <stdlib.h>
#include <string.h>

#include "image/endian.h"
#include "image/exif.h"
#include "image/jpeg_decode.h"
#include "image/limits.h"

/* Encoders write about ten scans. Each is a pass over the whole film, however little data it holds. */
enum { MAX_SCANS = 100 };

typedef struct {
    const uint8_t *bytes; /* the file */
    size_t size, at;      /* at: offset of the walk */
    jpeg_header header;
    const uint8_t *frame; /* frame header, NULL before it */
    uint32_t scanned;     /* bit i is set once component i is in a scan */
    jpeg_reader reader;   /* tables and restart interval as of here */
    uint64_t *nonzero[4]; /* per component of a progressive file, per block: bit k is set once coefficient k is not
                             zero; owned */
    uint16_t *values;     /* where the first scan is decoded to, NULL if it is only checked */
} walk;

static pleura_status read_frame(jpeg_header *out, int marker, const uint8_t *frame, size_t length)
{
    if (length < 8) return PLEURA_IMAGE_DAMAGED;
    out->process = marker - SOF0;
    out->bits = frame[0];
    out->height = (int)be16(frame + 1), out->width = (int)be16(frame + 3);
    out->channels = frame[5];
    if (!out->height) return PLEURA_IMAGE_UNSUPPORTED; /* it stands behind the first scan (DNL, B.2.5) */
    return length < 8 + 3 * (size_t)out->channels ? PLEURA_IMAGE_DAMAGED : image_check_size(out->width, out->height);
}

/* Reads the segment of a marker, from the length at w->at to the next marker. */
static pleura_status check_segment(walk *w, int marker)
{
    if (w->size - w->at < 2) return PLEURA_IMAGE_DAMAGED;
    size_t length = be16(w->bytes + w->at);
    if (length < 2 || length > w->size - w->at) return PLEURA_IMAGE_DAMAGED;
    const uint8_t *segment = w->bytes + w->at + 2;
    if (marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC) {
        pleura_status status = w->frame ? PLEURA_IMAGE_DAMAGED : read_frame(&w->header, marker, segment, length);
        if (status) return status;
        w->frame = segment;
    }
    if (marker == DRI && length >= 4) w->reader.restart_interval = be16(segment);
    if (marker == DQT && !read_quant(&w->reader, segment, length - 2)) return PLEURA_IMAGE_DAMAGED;
    if (marker == DHT) {
        if (!huffman_is_valid(segment, length - 2)) return PLEURA_IMAGE_DAMAGED;
        read_huffman(&w->reader, segment, length - 2);
    }
    /* The first EXIF counts. The byte behind "Exif" and its zero is padding of any value. */
    if (marker == APP1 && length >= 16 && !w->header.orientation && memcmp(segment, "Exif", 5) == 0)
        w->header.orientation = exif_orientation(segment + 6, length - 8);
    w->at += length;
    return PLEURA_OK;
}

static uint32_t ceil_div(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

/* Returns how many MCUs a scan codes (A.2), 0 for a scan that does not fit its frame. In a scan of one component an MCU
 * is one block; otherwise it holds the blocks of all its components side by side. In lossless files a block is a
 * sample. Marks the components as scanned; in a progressive file their DC coefficients must come first (G.1.1.1). */
static uint32_t count_mcus(walk *w, const uint8_t *scan, size_t length)
{
    const jpeg_header *h = &w->header;
    const uint8_t *component = NULL;
    uint32_t max_across = 1, max_down = 1, block = (h->process & 3) == 3 ? 1 : 8;
    if (!w->frame || length < 6 || length < 6 + 2 * (size_t)scan[0] || !scan[0]) return 0;
    for (int i = 0; i < h->channels; i++) {
        uint32_t across = frame_entry(w->frame, i)[1] >> 4, down = frame_entry(w->frame, i)[1] & 15;
        if (!across || !down) return 0;
        max_across = across > max_across ? across : max_across;
        max_down = down > max_down ? down : max_down;
    }
    int needs_dc = (h->process & 3) == 2 && scan_band(scan)[0];
    for (int i = 0; i < scan[0]; i++) {
        int number = find_component(w->frame, scan_entry(scan, i)[0]);
        uint32_t bit = number >= 0 && number < 32 ? 1u << number : 0;
        if (number < 0 || (needs_dc && !(w->scanned & bit))) return 0;
        w->scanned |= bit;
        component = frame_entry(w->frame, number);
    }
    uint32_t width = (uint32_t)h->width, height = (uint32_t)h->height;
    if (scan[0] > 1) return ceil_div(width, block * max_across) * ceil_div(height, block * max_down);
    uint32_t across = ceil_div(width * (component[1] >> 4), max_across);
    uint32_t down = ceil_div(height * (component[1] & 15), max_down);
    return ceil_div(across, block) * ceil_div(down, block);
}

/* What a scan holds of a component. */
typedef struct {
    const huffman *dc, *ac;
    uint32_t blocks;   /* per MCU */
    uint64_t *nonzero; /* as in `walk`; NULL before the component's first scan of AC coefficients */
} scan_component;

/* Skips the AC coefficients of a block that come for the first time (F.2.2.2 and G.1.2.2). `band` is the end of the
 * scan header; nonzero is NULL in a sequential file. Returns 0 if the block is damaged. */
static int skip_ac_first(jpeg_reader *r, const huffman *ac, const uint8_t *band, uint64_t *nonzero)
{
    if (r->eob_run) return r->eob_run--, 1;
    for (int k = band[0] ? band[0] : 1; k <= band[1]; k++) {
        int symbol = read_symbol(r, ac), zeros = symbol >> 4, bits = symbol & 15;
        if (symbol < 0) return 0;
        if (!bits && zeros < 15) {
            if (nonzero) r->eob_run = (1u << zeros) - 1 + read_bits(r, zeros);
            return 1;
        }
        k += zeros;
        if (k > band[1] || bits + (band[2] & 15) > 15) return 0;
        read_bits(r, bits);
        if (nonzero && bits) *nonzero |= (uint64_t)1 << k;
    }
    return 1;
}

/* Skips one more bit of the AC coefficients (G.1.2.3): a bit for each that was nonzero before, and a symbol for each
 * that becomes nonzero. */
static int skip_ac_refinement(jpeg_reader *r, const huffman *ac, const uint8_t *band, uint64_t *nonzero)
{
    uint64_t known = *nonzero;
    for (int k = band[0]; k <= band[1]; k++) {
        int zeros = 64, bits = 0;
        if (!r->eob_run) {
            int symbol = read_symbol(r, ac);
            if (symbol < 0 || (symbol & 15) > 1) return 0;
            zeros = symbol >> 4, bits = symbol & 15;
            if (!bits && zeros < 15) r->eob_run = (1u << zeros) + read_bits(r, zeros), zeros = 64;
            read_bits(r, bits);
        }
        for (; k <= band[1]; k++)
            if (known >> k & 1) read_bit(r);
            else if (zeros-- == 0) break;
        if (k <= band[1] && bits) *nonzero |= (uint64_t)1 << k;
    }
    if (r->eob_run) r->eob_run--;
    return 1;
}

/* Skips one block of a scan. `mcu` is also the number of the block where a component has AC coefficients of its own,
 * since such a scan has one component. */
static int skip_block(jpeg_reader *r, const scan_component *c, const uint8_t *band, uint32_t mcu)
{
    uint64_t *nonzero = c->nonzero ? c->nonzero + mcu : NULL;
    int refines = band[2] >> 4;
    if (band[0] == 0 && refines) {
        read_bit(r);
    } else if (band[0] == 0) {
        int bits = read_symbol(r, c->dc);
        if (bits < 0 || bits > 15) return 0;
        read_bits(r, bits);
    }
    if (band[1] && !(nonzero && refines ? skip_ac_refinement : skip_ac_first)(r, c->ac, band, nonzero)) return 0;
    return r->count >= 0;
}

/* Fills components[scan[0]]. A component without a quantisation table would decode to zeros. `tracks`: allocate
 * `nonzero` where there is none yet. */
static pleura_status scan_components(scan_component *components, walk *w, const uint8_t *scan, int tracks,
                                     uint32_t mcus)
{
    for (int i = 0; i < scan[0]; i++) {
        int number = find_component(w->frame, scan_entry(scan, i)[0]);
        uint8_t tables = scan_entry(scan, i)[1];
        const uint8_t *in_frame = frame_entry(w->frame, number);
        uint32_t blocks = scan[0] > 1 ? (in_frame[1] >> 4) * (in_frame[1] & 15) : 1;
        uint64_t **nonzero = &w->nonzero[number];
        if (!w->reader.quant[in_frame[2] & 3]) return PLEURA_IMAGE_DAMAGED;
        if (tracks && !*nonzero && !(*nonzero = calloc(mcus, sizeof **nonzero))) return PLEURA_MEMORY;
        components[i] =
            (scan_component){w->reader.dc + (tables >> 4 & 3), w->reader.ac + (tables & 3), blocks, *nonzero};
    }
    return PLEURA_OK;
}

/* Checks that the data of a scan lasts for all its MCUs. Files that stb_image does not decode are not checked. */
static pleura_status check_data(walk *w, const uint8_t *scan, uint32_t mcus)
{
    static const uint8_t sequential_band[3] = {0, 63, 0};
    const jpeg_header *h = &w->header;
    jpeg_reader *r = &w->reader;
    int progressive = h->process == 2;
    const uint8_t *band = progressive ? scan_band(scan) : sequential_band;
    scan_component components[4];
    if (h->process > 2 || h->bits != 8 || h->channels > 4) return PLEURA_OK;
    if (scan[0] > 4 || band[0] > band[1] || band[1] > 63) return PLEURA_IMAGE_DAMAGED;
    /* G.1.1.1: DC coefficients come alone, AC coefficients with one component only. */
    if (progressive && (band[0] ? scan[0] > 1 : band[1] > 0)) return PLEURA_IMAGE_DAMAGED;
    pleura_status status = scan_components(components, w, scan, progressive && band[0], mcus);
    if (status) return status;
    for (uint32_t mcu = 0; mcu < mcus; mcu++) {
        /* stb_image misses a restart marker with more than the rest of a byte before it. */
        if (r->restart_interval && mcu && mcu % r->restart_interval == 0 && (r->count > 7 || !skip_restart(r)))
            return PLEURA_IMAGE_DAMAGED;
        for (int i = 0; i < scan[0]; i++)
            for (uint32_t n = 0; n < components[i].blocks; n++)
                if (!skip_block(r, components + i, band, mcu)) return PLEURA_IMAGE_DAMAGED;
    }
    return PLEURA_OK;
}

/* Moves w->at to the end of the entropy-coded data, the next marker that is neither a stuffed zero nor a restart.
 * Returns how many restart markers it holds, -1 if they are out of order. */
static int64_t find_scan_end(walk *w)
{
    int64_t restarts = 0;
    size_t at = w->at;
    for (; w->size - at >= 2; at++) {
        int marker = w->bytes[at] == 0xff ? w->bytes[at + 1] : 0;
        if (marker >= RST0 && marker <= RST7) {
            if (marker - RST0 != restarts % 8) return -1;
            restarts++;
        } else if (marker && marker != 0xff) {
            break;
        }
    }
    w->at = at;
    return restarts;
}

/* Checks or decodes the data of a scan, which begins at w->at. */
static pleura_status check_scan(walk *w, const uint8_t *scan, size_t length)
{
    const uint8_t *start = w->bytes + w->at;
    uint32_t mcus = count_mcus(w, scan, length), interval = w->reader.restart_interval;
    uint16_t *values = w->values;
    int64_t restarts = find_scan_end(w);
    /* Some encoders write a restart marker behind the last MCU as well. stb_image leaves the film grey from a missing
     * one on. */
    int64_t min = interval ? (mcus - 1) / interval : 0, max = interval ? mcus / interval : 0;
    if (!mcus || restarts < min || restarts > max) return PLEURA_IMAGE_DAMAGED;
    start_bits(&w->reader, start, w->bytes + w->at);
    w->values = NULL;
    return values ? jpeg_decode_scan(values, &w->header, &w->reader, w->frame, scan) : check_data(w, scan, mcus);
}

static pleura_status check_end(const walk *w)
{
    uint32_t channels = (uint32_t)w->header.channels;
    uint32_t all = channels < 32 ? (1u << channels) - 1 : ~0u; /* one bit per component, up to 32 */
    return w->header.bits && w->scanned == all ? PLEURA_OK : PLEURA_IMAGE_DAMAGED;
}

static pleura_status walk_file(walk *w)
{
    if (w->size < 2 || be16(w->bytes) != 0xffd8) return PLEURA_IMAGE_DAMAGED;
    w->at = 2;
    for (int scans = 0;;) {
        if (w->size - w->at < 2 || w->bytes[w->at] != 0xff) return PLEURA_IMAGE_DAMAGED;
        int marker = w->bytes[w->at + 1];
        w->at += marker == 0xff ? 1 : 2;
        if (marker == 0xff) continue; /* a fill byte (B.1.1.2) */
        if (marker == EOI) return check_end(w);
        if (marker < SOF0) return PLEURA_IMAGE_DAMAGED; /* reserved */
        if (marker == SOF55) return PLEURA_JPEG_LS;
        if (marker == DHP) return PLEURA_IMAGE_UNSUPPORTED; /* hierarchical (annex J) */
        if (marker >= RST0 && marker <= RST7) continue;
        const uint8_t *segment = w->bytes + w->at;
        pleura_status status = check_segment(w, marker);
        if (!status && marker == SOS && ++scans > MAX_SCANS) status = PLEURA_IMAGE_UNSUPPORTED;
        if (!status && marker == SOS) status = check_scan(w, segment + 2, be16(segment));
        if (status) return status;
    }
}

pleura_status jpeg_check(jpeg_header *out, const uint8_t *bytes, size_t size)
{
    walk w = {.bytes = bytes, .size = size};
    pleura_status status = walk_file(&w);
    if (!w.header.orientation) w.header.orientation = 1;
    if (!status) *out = w.header;
    for (int i = 0; i < 4; i++) free(w.nonzero[i]);
    return status;
}

pleura_status jpeg_decode(uint16_t *values, const jpeg_header *h, const uint8_t *bytes, size_t size)
{
    int lossless = h->process == SOF3 - SOF0 && h->bits >= 2 && h->bits <= 16 && h->channels >= 1;
    int sequential = h->process < SOF2 - SOF0 && h->bits == 12 && h->channels == 1;
    if (!lossless && !sequential) return PLEURA_IMAGE_UNSUPPORTED;
    walk w = {.bytes = bytes, .size = size, .values = values};
    return walk_file(&w);
}
