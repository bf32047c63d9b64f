/* jpeg_repair.h - copies a JPEG without the faults around its picture that libjpeg, and so every browser, forgives. */
#ifndef PLEURA_JPEG_REPAIR_H
#define PLEURA_JPEG_REPAIR_H

#include <stddef.h>
#include <stdint.h>

/* The copy may be this much longer than the file: four Huffman tables. */
enum { JPEG_REPAIR_GROWTH = 512 };

/* Writes to out[size + JPEG_REPAIR_GROWTH] and returns the size of the copy, 0 if the segments lead nowhere. The copy
 * lacks stray bytes between segments, and comments; components with the same identifier get identifiers of their own;
 * a sequential file without Huffman tables (Motion JPEG) gets those of annex K. The scans stay as they are, and
 * jpeg_check still decides whether the picture is whole. */
size_t jpeg_repair(uint8_t *out, const uint8_t *bytes, size_t size);

#endif
