/* image.c - fuzzes the image decoders. Each input is decoded twice: as it is, and with its checksums and lengths
 * repaired, because otherwise hardly any mutation of a file gets past them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "image/endian.h"
#include "image/film.h"
#include "image/jpeg.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The first bytes of the files in the corpus being fuzzed; empty while corpora are replayed. Inputs of other formats
 * are skipped, or JPEG, which has the most code to reach, would crowd out the rest. */
static const char *signature = "";

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const char *const formats[][2] = {{"image-png", "\x89PNG\r\n\x1a\n"},
                                             {"image-bmp", "BM"},
                                             {"image-jpeg", "\xff\xd8\xff"},
                                             {"image-dicom", "\xff\xd8\xff"}};
    for (int i = 1; i < *count; i++)
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
            if (strstr((*arguments)[i], formats[f][0])) signature = formats[f][1];
    return 0;
}

enum { SIDE = 48, MAX_PIXELS = 1 << 17 }; /* larger films reach no other code, they only take longer */

static void put_be16(uint8_t *p, size_t v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
static void put_be32(uint8_t *p, size_t v) { put_be16(p, v >> 16), put_be16(p + 2, v & 0xffff); }

static int is_png(const uint8_t *bytes, size_t size)
{
    return size >= 33 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}
static int is_jpeg(const uint8_t *bytes, size_t size) { return size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0; }
static int is_bmp(const uint8_t *bytes, size_t size) { return size >= 2 && memcmp(bytes, "BM", 2) == 0; }

typedef struct {
    uint64_t width, height, bits;
} bmp_header;

static bmp_header bmp_read(const uint8_t *bytes, size_t size)
{
    if (size < 30) return (bmp_header){0};
    if (bytes[14] == 12) return (bmp_header){le16(bytes + 18), le16(bytes + 20), le16(bytes + 24)}; /* OS/2 1 */
    return (bmp_header){le32(bytes + 18), (uint64_t)llabs((int32_t)le32(bytes + 22)), le16(bytes + 28)};
}

/* Returns 1 if the header promises at most MAX_PIXELS, or none that can be read. */
static int is_small(const uint8_t *bytes, size_t size)
{
    jpeg_header jpeg = {0};
    bmp_header bmp = {0};
    if (is_png(bytes, size)) return (uint64_t)be32(bytes + 16) * be32(bytes + 20) <= MAX_PIXELS;
    if (is_jpeg(bytes, size))
        return jpeg_check(&jpeg, bytes, size) != PLEURA_OK ||
            (uint64_t)jpeg.width * (uint64_t)jpeg.height <= MAX_PIXELS;
    if (is_bmp(bytes, size)) bmp = bmp_read(bytes, size);
    return bmp.width * bmp.height <= MAX_PIXELS;
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (; n; n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static int is_chunk(const uint8_t *type)
{
    static const char *const known[] = {"IHDR", "PLTE", "tRNS", "IDAT", "IEND", "CgBI"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (memcmp(type, known[i], 4) == 0) return 1;
    return 0;
}

/* Makes each chunk end where the next one begins, with the right CRC. The last twelve bytes become IEND. */
static void repair_png(uint8_t *bytes, size_t size)
{
    size_t next;
    put_be32(bytes + size - 12, 0), memcpy(bytes + size - 8, "IEND", 4);
    for (size_t at = 8; size - at >= 12; at = next) {
        next = at + 12;
        while (size - next >= 12 && !is_chunk(bytes + next + 4)) next++;
        if (size - next < 12) next = size;
        put_be32(bytes + at, next - at - 12);
        put_be32(bytes + next - 4, crc32_of(bytes + at + 4, next - at - 8));
    }
}

/* Removes the codes and symbols that do not fit into the tables of a DHT segment. */
static void repair_huffman(uint8_t *p, size_t size)
{
    while (size >= 17) {
        uint32_t codes = 1, symbols = 0, max = size - 17 < 256 ? (uint32_t)size - 17 : 256;
        for (int i = 1; i <= 16; i++) {
            codes *= 2;
            if (p[i] > codes) p[i] = (uint8_t)codes;
            if (p[i] > max - symbols) p[i] = (uint8_t)(max - symbols);
            codes -= p[i], symbols += p[i];
        }
        p += 17 + symbols, size -= 17 + symbols;
    }
}

/* Makes each segment end at a marker. The last two bytes become EOI. */
static void repair_jpeg(uint8_t *bytes, size_t size)
{
    memcpy(bytes + size - 2, "\xff\xd9", 2);
    for (size_t at = 2; size - at > 4;) {
        int marker = bytes[at + 1];
        if (marker == 0xff || (marker >= 0xd0 && marker <= 0xd7)) {
            at += marker == 0xff ? 1 : 2;
            continue;
        }
        size_t end = at + 2 + be16(bytes + at + 2);
        if (end > size - 2 || bytes[end] != 0xff) {
            for (end = at + 4;
                 end < size - 2 && (bytes[end] != 0xff || bytes[end + 1] < 0xc0 || bytes[end + 1] == 0xff);)
                end++;
            put_be16(bytes + at + 2, end - at - 2);
        }
        if (marker == 0xc4) repair_huffman(bytes + at + 4, end - at - 4);
        for (at = end; size - at > 2 && (bytes[at] != 0xff || bytes[at + 1] == 0); at++) continue;
    }
}

/* Returns how many bytes of its pixels a BMP lacks, 0 if that is too many to add. */
static size_t bmp_missing(const uint8_t *bytes, size_t size)
{
    bmp_header h = bmp_read(bytes, size);
    uint64_t end = size < 30 ? 0 : le32(bytes + 10) + (h.width * h.bits + 31) / 32 * 4 * h.height;
    return end > size && end <= 4 * MAX_PIXELS ? (size_t)end - size : 0;
}

/* Decodes a JPEG as samples, as a DICOM reader does, and makes a film of them. f: the film of the same file. */
static void try_samples(const film *f, const uint8_t *bytes, size_t size)
{
    film_samples s;
    int bits;
    if (samples_from_jpeg(&s, &bits, bytes, size)) return;
    assert(image_check_size(s.width, s.height) == PLEURA_OK && bits >= 2 && bits <= 16 &&
           (s.channels == 1 || s.channels == 3));
    if (f->pixels && s.channels == 1) assert(f->pixels[0] % 257 == 0 && f->width * f->height == s.width * s.height);
    film from;
    assert(film_from_samples(&from, &s) == PLEURA_OK);
    film_free(&from);
    free((void *)s.values);
}

static void try_file(const uint8_t *bytes, size_t size)
{
    static float input[SIDE * SIDE];
    film f = {0};
    if (!is_small(bytes, size)) return;
    if (film_decode(&f, bytes, size) == PLEURA_OK) {
        assert(image_check_size(f.width, f.height) == PLEURA_OK && f.chroma >= 0 && f.chroma <= 1);
        film_input(input, SIDE, &f);
        for (int i = 0; i < SIDE * SIDE; i++) assert(input[i] >= -1 && input[i] <= 1);
        film_resample(input, SIDE, 7, &f, &(film_rect){f.width / 3.0, f.height / 7.0, f.width - 0.25, f.height});
    }
    if (is_jpeg(bytes, size)) try_samples(&f, bytes, size);
    film_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < strlen(signature) || memcmp(bytes, signature, strlen(signature)) != 0) return 0;
    try_file(bytes, size);
    size_t more = is_png(bytes, size) ? 12
        : is_jpeg(bytes, size)        ? 2
        : is_bmp(bytes, size)         ? bmp_missing(bytes, size)
                                      : 0;
    if (!more) return 0;
    uint8_t *repaired = calloc(size + more, 1); /* the exact size, so AddressSanitizer sees reads past the end */
    memcpy(repaired, bytes, size);
    if (is_png(bytes, size)) repair_png(repaired, size + more);
    else if (is_jpeg(bytes, size)) repair_jpeg(repaired, size + more);
    else
        for (size_t i = size; i < size + more; i++) repaired[i] = repaired[i - size];
    try_file(repaired, size + more);
    free(repaired);
    return 0;
}
