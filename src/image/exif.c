/* exif.c - finds tag 0x0112 in a TIFF directory (EXIF 2.3, 4.6.4 A). Both byte orders occur: "MM" is big-endian, "II"
 * little-endian. */
#include "image/exif.h"

#include <string.h>

#include "image/endian.h"

int exif_orientation(const uint8_t *tiff, size_t size)
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
