/* jpeg_repair.c - follows libjpeg: next_marker() skips stray bytes, get_sof() and get_sos() renumber components,
 * std_huff_tables() supplies tables. */
#include "image/jpeg_repair.h"

#include <string.h>

#include "image/endian.h"
#include "image/jpeg_bits.h"

enum { TEM = 0x01, APP0 = 0xe0, APP14 = 0xee, APP15 = 0xef, COM = 0xfe };

/* The tables of annex K.3, as the segments DHT hold them: class and number, codes per length, symbols. */
static const uint8_t DC_LUMINANCE[] = {0x00, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0,  0, 0,
                                       0,    0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint8_t DC_CHROMINANCE[] = {0x01, 0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0,  0, 0,
                                         0,    0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint8_t AC_LUMINANCE[] = {
    0x10, 0,    2,    1,    3,    3,    2,    4,    3,    5,    5,    4,    4,    0,    0,    1,    125,  0x01,
    0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14,
    0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82,
    0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38,
    0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a,
    0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84,
    0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4,
    0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4,
    0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3,
    0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa};
static const uint8_t AC_CHROMINANCE[] = {
    0x11, 0,    2,    1,    2,    4,    4,    3,    4,    7,    5,    4,    4,    0,    1,    2,    119,  0x00,
    0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22, 0x32,
    0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a,
    0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37,
    0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
    0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82,
    0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2,
    0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2,
    0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2,
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa};
static const struct {
    const uint8_t *bytes;
    size_t size;
} STANDARD[4] = {{DC_LUMINANCE, sizeof DC_LUMINANCE},
                 {DC_CHROMINANCE, sizeof DC_CHROMINANCE},
                 {AC_LUMINANCE, sizeof AC_LUMINANCE},
                 {AC_CHROMINANCE, sizeof AC_CHROMINANCE}};

typedef struct {
    uint8_t *bytes;
    size_t size;
} output;

static void put(output *o, const uint8_t *bytes, size_t size)
{
    memcpy(o->bytes + o->size, bytes, size);
    o->size += size;
}

/* Returns 1 for a segment that says nothing about the picture. JFIF and Adobe tell the colours, Exif what is up. */
static int is_comment(int marker, const uint8_t *segment, size_t length)
{
    if (marker != COM && (marker < APP0 || marker > APP15)) return 0;
    if (length < 5) return 1;
    return !((marker == APP0 && memcmp(segment, "JFIF", 5) == 0) ||
             (marker == APP1 && memcmp(segment, "Exif", 5) == 0) ||
             (marker == APP14 && memcmp(segment, "Adobe", 5) == 0));
}

/* Notes which of the four tables a DHT segment defines: bit 2 * class + number. */
static int defined_tables(const uint8_t *p, size_t size)
{
    int defined = 0;
    while (size >= 17) {
        size_t length = 17;
        for (int i = 1; i <= 16; i++) length += p[i];
        if (length > size || p[0] >> 4 > 1) break;
        if ((p[0] & 15) < 2) defined |= 1 << (2 * (p[0] >> 4) + (p[0] & 15));
        p += length, size -= length;
    }
    return defined;
}

static void put_tables(output *o, int defined)
{
    for (int i = 0; i < 4; i++) {
        if (defined >> i & 1) continue;
        put(o, (uint8_t[]){0xff, DHT, 0, (uint8_t)(STANDARD[i].size + 2)}, 4);
        put(o, STANDARD[i].bytes, STANDARD[i].size);
    }
}

/* Gives each component whose identifier came before the next number above all before it. The identifiers are `step`
 * bytes apart. */
static void renumber(uint8_t *identifiers, int count, int step)
{
    for (int i = 1; i < count; i++) {
        int max = 0, repeated = 0;
        for (int j = 0; j < i; j++) {
            int other = identifiers[j * step];
            max = other > max ? other : max;
            repeated |= other == identifiers[i * step];
        }
        if (repeated) identifiers[i * step] = (uint8_t)(max + 1);
    }
}

/* Returns the offset of the next marker from `at` on, `size` for none; in_scan: restart markers belong to the data. */
static size_t find_marker(const uint8_t *bytes, size_t size, size_t at, int in_scan)
{
    for (; size - at >= 2; at++) {
        int next = bytes[at] == 0xff ? bytes[at + 1] : 0, restart = next >= RST0 && next <= RST7;
        if (next && next != 0xff && !(in_scan && restart)) return at;
    }
    return size;
}

size_t jpeg_repair(uint8_t *out, const uint8_t *bytes, size_t size)
{
    output o = {out, 0};
    int process = -1, defined = 0;
    if (size < 2 || be16(bytes) != 0xffd8) return 0;
    put(&o, bytes, 2);
    for (size_t at = 2;;) {
        at = find_marker(bytes, size, at, 0);
        if (size - at < 2) return 0; /* cut off */
        int marker = bytes[at + 1];
        if (marker == EOI) break;
        if (marker == TEM || (marker >= RST0 && marker <= RST7)) {
            at += 2;
            continue;
        }
        if (marker < SOF0 || size - at < 4) return 0;
        size_t length = be16(bytes + at + 2);
        const uint8_t *segment = bytes + at + 4;
        int comment = (marker >= APP0 && marker <= APP15) || marker == COM;
        if (comment && length < 2) length = 2;
        if (length < 2 || length > size - at - 2) return 0;
        int frame = marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
        if (marker == DHT) defined |= defined_tables(segment, length - 2);
        if (frame) process = marker - SOF0;
        if (marker == SOS && (process == 0 || process == 1)) put_tables(&o, defined), defined = 15;
        uint8_t *copy = o.bytes + o.size + 4;
        if (!is_comment(marker, segment, length - 2)) put(&o, bytes + at, length + 2);
        if (frame && length >= 8 && length >= 8 + 3 * (size_t)copy[5]) renumber(copy + 6, copy[5], 3);
        if (marker == SOS && length >= 3 && length >= 6 + 2 * (size_t)copy[0]) renumber(copy + 1, copy[0], 2);
        at += length + 2;
        if (marker != SOS) continue;
        size_t end = find_marker(bytes, size, at, 1);
        put(&o, bytes + at, end - at);
        at = end;
    }
    put(&o, (uint8_t[]){0xff, EOI}, 2);
    return o.size;
}
