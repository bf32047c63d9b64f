/* exif.c - finds tag 0x0112 in a TIFF directory (EXIF 2.3, 4.6.4 A). Both byte orders occur: "MM" is big-endian, "II"
 * little-endian. */
#include "image/exif.h"

#include <string.h>

#include "image/endian.h"

/* The part of EXIF data that is read of a profile. Its first directory stands at the front. */
enum { PROFILE_SIZE = 4096 };

/* Returns the value of a directory entry, 0 for a type that is not an integer. */
static uint32_t read_value(const uint8_t *entry, int big)
{
    switch (big ? be16(entry + 2) : le16(entry + 2)) {
    case 1:
    case 6: return entry[8]; /* BYTE, SBYTE */
    case 3:
    case 8: return big ? be16(entry + 8) : le16(entry + 8); /* SHORT, SSHORT */
    case 4:
    case 9: return big ? be32(entry + 8) : le32(entry + 8); /* LONG, SLONG */
    default: return 0;
    }
}

int exif_orientation(const uint8_t *tiff, size_t size)
{
    if (size >= 6 && memcmp(tiff, "Exif\0\0", 6) == 0) tiff += 6, size -= 6;
    if (size < 8) return 1;
    int big = tiff[0] == 'M';
    if (memcmp(tiff, big ? "MM\0*" : "II*\0", 4) != 0) return 1;
    uint32_t at = big ? be32(tiff + 4) : le32(tiff + 4);
    if (at > size - 2) return 1;
    uint32_t count = big ? be16(tiff + at) : le16(tiff + at);
    const uint8_t *entry = tiff + at + 2;
    for (size_t left = (size - at - 2) / 12; count && left; count--, left--, entry += 12) {
        if ((big ? be16(entry) : le16(entry)) != 0x0112) continue;
        uint32_t value = read_value(entry, big);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

/* Returns the value of a hexadecimal digit, -1 for another character. */
static int digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0'
        : c >= 'a' && c <= 'f'  ? c - 'a' + 10
        : c >= 'A' && c <= 'F'  ? c - 'A' + 10
                                : -1;
}

int exif_profile_orientation(const uint8_t *text, size_t size)
{
    uint8_t data[PROFILE_SIZE];
    const uint8_t *end = text + size;
    size_t digits = 0;
    /* Three lines: an empty one, the name, and the length in decimal digits. */
    for (int lines = 0; lines < 3; text++) {
        if (text == end) return 1;
        lines += *text == '\n';
    }
    for (; text < end && digits < 2 * sizeof data; text++) {
        int value = digit(*text);
        if (value < 0 && *text != '\n') break;
        if (value < 0) continue;
        data[digits / 2] = (uint8_t)(digits % 2 ? data[digits / 2] << 4 | value : value);
        digits++;
    }
    return exif_orientation(data, digits / 2);
}
