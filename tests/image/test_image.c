/* test_image.c - decoding under every prefix and changed byte, sizes, orientation, and resampling against arithmetic.
 * stb_image_write makes PNG and BMP; the JPEG and 16-bit files in fixtures/ hold the same gradient, made with Pillow,
 * the one of 12 bits with dcmtk; lossless JPEG is coded here. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

#include "image/film.h"
#include "../support/read_file.h"

/* Fresh memory is filled with something else than zeros, however large it is. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "max_malloc_fill_size=1000000000"; }

typedef struct {
    uint8_t *bytes;
    size_t size;
} file;

static void append(void *context, void *data, int size)
{
    file *f = context;
    f->bytes = realloc(f->bytes, f->size + (size_t)size);
    memcpy(f->bytes + f->size, data, (size_t)size);
    f->size += (size_t)size;
}

static file open_file(const char *path)
{
    file f;
    f.bytes = read_file(path, &f.size);
    return f;
}

enum { W = 96, H = 80 };
static uint8_t sample(int x, int y) { return (uint8_t)(2 * x + y * 3 / 4); }

static file make(int bmp, int channels)
{
    static uint8_t pixels[W * H * 4];
    file f = {0};
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < channels; c++) pixels[(y * W + x) * channels + c] = sample(x, y);
    int made = bmp ? stbi_write_bmp_to_func(append, &f, W, H, channels, pixels)
                   : stbi_write_png_to_func(append, &f, W, H, channels, pixels, W * channels);
    assert(made);
    return f;
}

/* Decodes an exact copy, so that a read past its end is seen. */
static pleura_status decode_copy(film *out, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    pleura_status status = film_decode(out, copy, size);
    free(copy);
    return status;
}

/* Headers are walked byte by byte, what follows them in larger steps. */
static size_t after(size_t i) { return i < 1024 ? i + 1 : i + 37; }

static void every_prefix_is_refused(const file *f)
{
    film out = {0};
    for (size_t n = 0; n < f->size; n = after(n)) {
        pleura_status status = decode_copy(&out, f->bytes, n);
        assert(status == PLEURA_EMPTY || status == PLEURA_NOT_IMAGE || status == PLEURA_IMAGE_DAMAGED);
        assert(!out.pixels);
    }
}

/* Each byte in turn set to a value that hurts; the file may be refused or read, and the same way twice. */
static void changed_bytes_do_no_harm(const file *f)
{
    static const uint8_t hurtful[] = {0, 0x7f, 0xff};
    for (size_t i = 0; i < f->size; i = after(i)) {
        uint8_t right = f->bytes[i];
        f->bytes[i] = hurtful[i % sizeof hurtful] ^ (uint8_t)(i >> 3 & 1);
        film out = {0}, again = {0};
        pleura_status status = decode_copy(&out, f->bytes, f->size);
        assert(decode_copy(&again, f->bytes, f->size) == status);
        assert(status || memcmp(out.pixels, again.pixels, (size_t)out.width * (size_t)out.height * 2) == 0);
        film_free(&out), film_free(&again);
        f->bytes[i] = right;
    }
}

/* The greatest distance of a decoded pixel from the gradient, in 8-bit levels. */
static double worst_pixel(const file *f)
{
    film out;
    double worst = 0;
    assert(decode_copy(&out, f->bytes, f->size) == PLEURA_OK && out.width == W && out.height == H);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) worst = fmax(worst, fabs(out.pixels[y * W + x] / 257.0 - sample(x, y)));
    film_free(&out);
    return worst;
}

static void formats_are_read_and_fenced(void)
{
    for (int bmp = 0; bmp <= 1; bmp++)
        for (int channels = bmp ? 3 : 1; channels <= 4; channels++) {
            file f = make(bmp, channels);
            assert(worst_pixel(&f) == 0);
            every_prefix_is_refused(&f);
            changed_bytes_do_no_harm(&f);
            free(f.bytes);
        }
    static const char *const jpegs[] = {"tests/fixtures/grey.jpg", "tests/fixtures/colour.jpg",
                                        "tests/fixtures/progressive.jpg", "tests/fixtures/cmyk.jpg"};
    for (size_t i = 0; i < sizeof jpegs / sizeof *jpegs; i++) {
        file f = open_file(jpegs[i]);
        assert(worst_pixel(&f) <= 3);
        every_prefix_is_refused(&f);
        changed_bytes_do_no_harm(&f);
        free(f.bytes);
    }
    file f = open_file("tests/fixtures/grey16.png");
    film out;
    assert(film_decode(&out, f.bytes, f.size) == PLEURA_OK && out.width == W && out.height == H);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) assert(out.pixels[y * W + x] == 600 * x + 50 * y);
    film_free(&out);
    every_prefix_is_refused(&f);
    changed_bytes_do_no_harm(&f);
    free(f.bytes);
}

/* Puts an EXIF segment with this orientation behind SOI, in either byte order. */
static file with_orientation(const file *jpeg, int orientation, int big)
{
    uint8_t little[36] = {0xff,
                          0xe1,
                          0,
                          34,
                          'E',
                          'x',
                          'i',
                          'f',
                          0,
                          0,
                          'I',
                          'I',
                          '*',
                          0,
                          8,
                          0,
                          0,
                          0,
                          1,
                          0,
                          0x12,
                          1,
                          3,
                          0,
                          1,
                          0,
                          0,
                          0,
                          (uint8_t)orientation};
    uint8_t large[36] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i',  'f', 0, 0, 'M', 'M', 0, '*', 0,
                         0,    0,    8, 0,  1,   1,   0x12, 0,   3, 0, 0,   0,   1, 0,   (uint8_t)orientation};
    file f = {0};
    append(&f, jpeg->bytes, 2);
    append(&f, big ? large : little, 36);
    append(&f, jpeg->bytes + 2, (int)jpeg->size - 2);
    return f;
}

/* A film whose corners are 40, 100, 160, 220, clockwise from the upper left, is turned as EXIF says. */
static void orientation_is_applied(void)
{
    static const uint8_t corner[4] = {40, 100, 160, 220};
    /* Which stored corner (clockwise from the upper left) each upright corner comes from: EXIF 2.3, tag 0x0112. */
    static const uint8_t from[9][4] = {{0},          {0, 1, 2, 3}, {1, 0, 3, 2}, {2, 3, 0, 1}, {3, 2, 1, 0},
                                       {0, 3, 2, 1}, {3, 0, 1, 2}, {2, 1, 0, 3}, {1, 2, 3, 0}};
    file jpeg = open_file("tests/fixtures/corners.jpg");
    for (int orientation = 0; orientation <= 9; orientation++)
        for (int big = 0; big <= 1; big++) {
            int effective = orientation >= 1 && orientation <= 8 ? orientation : 1;
            file f = with_orientation(&jpeg, orientation, big);
            film out;
            assert(decode_copy(&out, f.bytes, f.size) == PLEURA_OK);
            int w = effective >= 5 ? H : W, h = effective >= 5 ? W : H;
            assert(out.width == w && out.height == h);
            int at[4] = {0, w - 1, h * w - 1, (h - 1) * w};
            for (int i = 0; i < 4; i++) assert(abs(out.pixels[at[i]] / 257 - corner[from[effective][i]]) <= 3);
            film_free(&out);
            if (orientation == 6) every_prefix_is_refused(&f), changed_bytes_do_no_harm(&f);
            free(f.bytes);
        }
    free(jpeg.bytes);
}

/* Every chunk of a PNG vouches for itself. */
static void a_wrong_checksum_is_damage(void)
{
    file f = make(0, 1);
    film out;
    f.bytes[f.size - 13] ^= 1; /* the last byte of IDAT's checksum, before IEND's 12 */
    assert(decode_copy(&out, f.bytes, f.size) == PLEURA_IMAGE_DAMAGED);
    free(f.bytes);
}

/* A BMP of 64 x 64 pixels of 8 bits, all of one index, under a header of 12 or 40 bytes with so many colours. */
static pleura_status read_index(uint8_t index, uint8_t header, int colours)
{
    enum { SIDE = 64 };
    file f = {0};
    film out;
    int offset = 14 + header + colours * (header == 12 ? 3 : 4);
    uint8_t core[] = {12, 0, 0, 0, SIDE, 0, SIDE, 0, 1, 0, 8, 0},
            info[40] = {40, 0, 0, 0, SIDE, 0, 0, 0, SIDE, 0, 0, 0, 1, 0, 8}, line[SIDE];
    append(&f, (uint8_t[14]){'B', 'M', [10] = (uint8_t)offset, (uint8_t)(offset >> 8)}, 14);
    append(&f, header == 12 ? core : info, header);
    while ((int)f.size < offset) append(&f, (uint8_t[]){77}, 1);
    memset(line, index, SIDE);
    for (int y = 0; y < SIDE; y++) append(&f, line, SIDE);
    pleura_status status = decode_copy(&out, f.bytes, f.size);
    if (!status) assert(out.pixels[0] == 77 * 257 && out.pixels[SIDE * SIDE - 1] == 77 * 257);
    if (!status) film_free(&out);
    free(f.bytes);
    return status;
}

static void put_chunk(file *f, const char *type, const uint8_t *data, int size)
{
    uint8_t *whole = malloc((size_t)size + 4);
    memcpy(whole, type, 4), memcpy(whole + 4, data, (size_t)size);
    uint32_t crc = stbiw__crc32(whole, size + 4);
    append(f, (uint8_t[]){(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size}, 4);
    append(f, whole, size + 4);
    append(f, (uint8_t[]){(uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc}, 4);
    free(whole);
}

/* The beginning of a PNG of 64 x 64 pixels. */
static void start_png(file *f, uint8_t depth, uint8_t colour)
{
    append(f, (uint8_t[]){0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, 8);
    put_chunk(f, "IHDR", (uint8_t[]){0, 0, 0, 64, 0, 0, 0, 64, depth, colour, 0, 0, 0}, 13);
}

/* A PNG of 64 x 64 pixels of 8 or 4 bits, all of one index, with so many colours, of which the first is transparent. */
static pleura_status read_palette(uint8_t index, uint8_t depth, int colours)
{
    enum { SIDE = 64 };
    static uint8_t rows[SIDE * (SIDE + 1)], palette[3 * 256];
    file f = {0};
    film out;
    int size, row = SIDE * depth / 8 + 1;
    memset(rows, depth == 4 ? index << 4 | index : index, sizeof rows);
    for (int y = 0; y < SIDE; y++) rows[y * row] = 0;
    memset(palette, 77, sizeof palette);
    uint8_t *packed = stbi_zlib_compress(rows, SIDE * row, &size, 8);
    start_png(&f, depth, 3);
    put_chunk(&f, "PLTE", palette, 3 * colours);
    put_chunk(&f, "tRNS", (uint8_t[]){0}, 1);
    put_chunk(&f, "IDAT", packed, size);
    put_chunk(&f, "IEND", palette, 0);
    pleura_status status = decode_copy(&out, f.bytes, f.size);
    if (!status) assert(out.pixels[0] == 77 * 257 && out.pixels[SIDE * SIDE - 1] == 77 * 257);
    if (!status) film_free(&out);
    free(f.bytes), free(packed);
    return status;
}

/* For a pixel beyond the palette there is no colour but what lay in memory. */
static void pixels_without_a_colour_are_refused(void)
{
    assert(read_palette(15, 8, 16) == PLEURA_OK && read_palette(16, 8, 16) == PLEURA_IMAGE_DAMAGED &&
           read_palette(255, 8, 256) == PLEURA_OK);
    assert(read_palette(9, 4, 10) == PLEURA_OK && read_palette(10, 4, 10) == PLEURA_IMAGE_DAMAGED &&
           read_palette(15, 4, 16) == PLEURA_OK);
    assert(read_index(15, 40, 16) == PLEURA_OK && read_index(16, 40, 16) == PLEURA_IMAGE_DAMAGED &&
           read_index(255, 40, 256) == PLEURA_OK);
    assert(read_index(15, 12, 256) == PLEURA_IMAGE_UNSUPPORTED); /* of which stb_image reads four colours too few */
}

/* A PNG of 64 x 64 grey pixels that holds that many bytes, packed. */
static pleura_status read_packed(int count)
{
    file f = {0};
    film out;
    int size;
    uint8_t *zeros = calloc((size_t)count, 1), *packed = stbi_zlib_compress(zeros, count, &size, 8);
    start_png(&f, 8, 0);
    put_chunk(&f, "IDAT", packed, size);
    put_chunk(&f, "IEND", zeros, 0);
    pleura_status status = film_decode(&out, f.bytes, f.size);
    if (!status) film_free(&out);
    free(f.bytes), free(packed), free(zeros);
    return status;
}

/* What unpacks to far more than the header needs is not unpacked; a little more does no harm. */
static void a_bomb_is_damage(void)
{
    assert(read_packed(64 * 65 - 1) == PLEURA_IMAGE_DAMAGED);
    assert(read_packed(64 * 65) == PLEURA_OK && read_packed(64 * 65 + 1000) == PLEURA_OK);
    assert(read_packed(1 << 20) == PLEURA_IMAGE_DAMAGED);
}

/* Where a marker of that code begins behind `at`. */
static size_t marker_at(const file *f, int code, size_t at)
{
    while (f->bytes[at] != 0xff || f->bytes[at + 1] != code) at++;
    return at;
}

/* Where the scan ends that begins at `at`. */
static size_t scan_end(const file *f, size_t at)
{
    for (at += 2; f->bytes[at] != 0xff || f->bytes[at + 1] == 0;) at++;
    return at;
}

/* The first scan of a progressive file, over and over: each would go over the whole film. */
static void endless_scans_are_refused(void)
{
    file f = open_file("tests/fixtures/progressive.jpg"), many = {0};
    film out;
    size_t first = marker_at(&f, 0xda, 2), next = scan_end(&f, first);
    append(&many, f.bytes, (int)f.size - 2);
    for (int i = 0; i < 100; i++) append(&many, f.bytes + first, (int)(next - first));
    append(&many, f.bytes + f.size - 2, 2);
    assert(decode_copy(&out, many.bytes, many.size) == PLEURA_IMAGE_UNSUPPORTED);
    free(f.bytes), free(many.bytes);
}

/* Without quantisation table all coefficients would count as zero: a grey film. */
static void a_missing_table_is_damage(void)
{
    static const char *const names[] = {"tests/fixtures/grey.jpg", "tests/fixtures/progressive.jpg"};
    for (int i = 0; i < 2; i++) {
        file f = open_file(names[i]);
        film out;
        f.bytes[marker_at(&f, 0xdb, 2) + 1] = 0xfe; /* the table becomes a comment */
        assert(decode_copy(&out, f.bytes, f.size) == PLEURA_IMAGE_DAMAGED);
        free(f.bytes);
    }
}

/* Neither may a progressive file lack its first scan, that of the DC coefficients. */
static void a_band_without_its_dc_is_damage(void)
{
    file f = open_file("tests/fixtures/progressive.jpg"), less = {0};
    film out;
    size_t first = marker_at(&f, 0xda, 2), next = scan_end(&f, first);
    append(&less, f.bytes, (int)first);
    append(&less, f.bytes + next, (int)(f.size - next));
    assert(decode_copy(&out, less.bytes, less.size) == PLEURA_IMAGE_DAMAGED);
    free(f.bytes), free(less.bytes);
}

/* The second frame of a file, small, must not replace the first, large and of no bits, for which its scan is decoded.
 */
static void a_second_frame_is_damage(void)
{
    file f = open_file("tests/fixtures/extended12.jpg"), two = {0};
    film_samples out;
    int bits;
    f.bytes[marker_at(&f, 0xc1, 2) + 4] = 0;
    append(&two, f.bytes, (int)f.size - 2);
    append(&two, (uint8_t[]){0xff, 0xc3, 0, 11, 8, 0, 64, 0, 64, 1, 1, 0x11, 0, 0xff, 0xd9}, 15);
    assert(samples_from_jpeg(&out, &bits, two.bytes, two.size) == PLEURA_IMAGE_DAMAGED);
    free(f.bytes), free(two.bytes);
}

/* Lossless JPEG (T.81, annex H) with one Huffman table: the 17 categories, five bits each. */
typedef struct {
    file out;
    uint32_t bits;
    int count;
} coder;

static void put(coder *c, uint32_t value, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        c->bits = c->bits << 1 | (value >> i & 1);
        if (++c->count < 8) continue;
        append(&c->out, &(uint8_t){(uint8_t)c->bits}, 1);
        if ((c->bits & 255) == 255) append(&c->out, &(uint8_t){0}, 1);
        c->count = 0;
    }
}

static void put_difference(coder *c, int difference)
{
    int d = (int16_t)difference, size = 0;
    while (size < 16 && abs(d) >> size) size++;
    if (d == -32768) size = 16;
    put(c, (uint32_t)size, 5);
    if (size < 16) put(c, (uint32_t)(d < 0 ? d - 1 : d), size);
}

typedef struct {
    int channels, bits, predictor, shift, lines; /* lines between restart markers, 0 for none */
} lossless;

/* The prediction of sample i of a line (table H.1); first: of the image or after a restart. */
static int predict(const uint16_t *v, int row, int i, const lossless *l, int first)
{
    int n = l->channels, a = i >= n ? v[-n] : 0, b = first ? 0 : v[-row], c = first || i < n ? 0 : v[-row - n];
    if (first) return i < n ? 1 << (l->bits - l->shift - 1) : a;
    if (i < n) return b;
    const int rules[8] = {0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1};
    return rules[l->predictor];
}

static file encode_lossless(const uint16_t *values, const lossless *l)
{
    coder c = {{0}, 0, 0};
    int n = l->channels, row = W * n;
    uint8_t table[] = {0xff, 0xd8, 0xff, 0xc4, 0, 36, 0, 0, 0, 0, 0, 17, 0, 0,  0,  0,  0,  0,  0,  0,
                       0,    0,    0,    0,    1, 2,  3, 4, 5, 6, 7, 8,  9, 10, 11, 12, 13, 14, 15, 16};
    append(&c.out, table, sizeof table);
    append(&c.out, (uint8_t[]){0xff, 0xdd, 0, 4, (uint8_t)(W * l->lines >> 8), (uint8_t)(W * l->lines)}, 6);
    append(&c.out, (uint8_t[]){0xff, 0xc3, 0, (uint8_t)(8 + 3 * n), (uint8_t)l->bits, 0, H, 0, W, (uint8_t)n}, 10);
    for (int i = 0; i < n; i++) append(&c.out, (uint8_t[]){(uint8_t)i, 0x11, 0}, 3);
    append(&c.out, (uint8_t[]){0xff, 0xda, 0, (uint8_t)(6 + 2 * n), (uint8_t)n}, 5);
    for (int i = 0; i < n; i++) append(&c.out, (uint8_t[]){(uint8_t)i, 0}, 2);
    append(&c.out, (uint8_t[]){(uint8_t)l->predictor, 0, (uint8_t)l->shift}, 3);
    for (int y = 0; y < H; y++) {
        int restart = y && l->lines && y % l->lines == 0;
        if (restart) {
            put(&c, 127, (8 - c.count) & 7);
            append(&c.out, (uint8_t[]){0xff, (uint8_t)(0xd0 + (y / l->lines - 1) % 8)}, 2);
        }
        for (int i = 0; i < row; i++) {
            const uint16_t *v = values + y * row + i;
            put_difference(&c, *v - predict(v, row, i, l, y == 0 || restart));
        }
    }
    put(&c, 127, (8 - c.count) & 7);
    append(&c.out, (uint8_t[]){0xff, 0xd9}, 2);
    return c.out;
}

static void lossless_jpeg_is_read(void)
{
    static uint16_t values[W * H * 3];
    static const int shapes[][3] = {{1, 8, 0}, {1, 12, 0}, {1, 16, 0}, {1, 16, 5}, {1, 2, 0}, {1, 12, 3}, {3, 8, 0}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int predictor = 1; predictor <= 7; predictor++)
            for (int lines = 0; lines <= 7; lines += 7) {
                lossless l = {shapes[s][0], shapes[s][1], predictor, shapes[s][2], lines};
                int count = W * H * l.channels;
                for (int i = 0; i < count; i++)
                    values[i] = (uint16_t)((uint32_t)i * 2654435761u >> 11) & ((1 << (l.bits - l.shift)) - 1);
                file f = encode_lossless(values, &l);
                film_samples out;
                int bits;
                assert(samples_from_jpeg(&out, &bits, f.bytes, f.size) == PLEURA_OK);
                assert(out.width == W && out.height == H && out.channels == l.channels && bits == l.bits);
                for (int i = 0; i < count; i++) assert(out.values[i] == (uint16_t)(values[i] << l.shift));
                free((void *)out.values);
                film refused;
                assert(decode_copy(&refused, f.bytes, f.size) ==
                       PLEURA_IMAGE_UNSUPPORTED); /* as a file of its own it is no film */
                free(f.bytes);
            }
}

static pleura_status jpeg_copy(film_samples *out, const uint8_t *bytes, size_t size)
{
    int bits;
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    pleura_status status = samples_from_jpeg(out, &bits, copy, size);
    free(copy);
    return status;
}

/* Twelve bits within 3/4096; hostile streams of both processes do no harm and give the same samples twice. */
static void jpeg_of_dicom_is_fenced(void)
{
    static uint16_t values[W * H];
    for (int i = 0; i < W * H; i++) values[i] = (uint16_t)(16 * sample(i % W, i / W) + i % 13);
    file files[] = {open_file("tests/fixtures/extended12.jpg"), encode_lossless(values, &(lossless){1, 12, 4, 0, 20}),
                    open_file("tests/fixtures/colour.jpg")};
    film_samples out, again;
    assert(jpeg_copy(&out, files[0].bytes, files[0].size) == PLEURA_OK && out.width == W && out.height == H);
    for (int i = 0; i < W * H; i++) assert(abs(out.values[i] - 16 * sample(i % W, i / W)) <= 12);
    free((void *)out.values);
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        file *f = files + k;
        for (size_t n = 0; n < f->size; n = after(n)) assert(jpeg_copy(&out, f->bytes, n) == PLEURA_IMAGE_DAMAGED);
        for (size_t i = 0; i < f->size; i = after(i)) {
            uint8_t right = f->bytes[i];
            for (int change = 0; change < 3; change++) {
                f->bytes[i] = (uint8_t[]){0, 0xff, (uint8_t)(right ^ 1 << i % 8)}[change];
                pleura_status status = jpeg_copy(&out, f->bytes, f->size);
                if (status) continue;
                assert(jpeg_copy(&again, f->bytes, f->size) == PLEURA_OK && again.width == out.width &&
                       again.height == out.height);
                assert(memcmp(out.values, again.values, (size_t)(out.width * out.height * out.channels) * 2) == 0);
                free((void *)out.values), free((void *)again.values);
            }
            f->bytes[i] = right;
        }
        free(f->bytes);
    }
}

/* Samples show what their table says; colour is averaged and leaves chroma. */
static void samples_go_through_their_table(void)
{
    static uint16_t values[W * H * 3], table[65536];
    for (int i = 0; i < 65536; i++) table[i] = (uint16_t)(65535 - i);
    for (int i = 0; i < W * H; i++) values[i] = (uint16_t)(i * 7);
    film out;
    film_samples s = {.values = values, .width = W, .height = H, .channels = 1};
    assert(film_from_samples(&out, &s) == PLEURA_OK && out.chroma == 0 && memcmp(out.pixels, values, W * H * 2) == 0);
    film_free(&out);
    s.table = table;
    assert(film_from_samples(&out, &s) == PLEURA_OK);
    for (int i = 0; i < W * H; i++) assert(out.pixels[i] == 65535 - values[i]);
    film_free(&out);
    memset(values, 0, sizeof values);
    for (int i = 0; i < W * H; i++) values[3 * i] = 65535;
    s.channels = 3, s.table = NULL;
    assert(film_from_samples(&out, &s) == PLEURA_OK && out.chroma > 0.99f && out.pixels[9] == (77 * 65535) >> 8);
    film_free(&out);
    for (int channels = 0; channels <= 5; channels += 5) {
        s.channels = channels;
        assert(film_from_samples(&out, &s) == PLEURA_IMAGE_UNSUPPORTED);
    }
    s.channels = 1, s.width = 30000;
    assert(film_from_samples(&out, &s) == PLEURA_IMAGE_TOO_LARGE);
    s.width = -5;
    assert(film_from_samples(&out, &s) == PLEURA_IMAGE_TOO_SMALL);
}

static pleura_status from_rgba(film *out, const uint8_t *rgba, int width, int height)
{
    return film_from_samples(out, &(film_samples){.bytes = rgba, .width = width, .height = height, .channels = 4});
}

static void sizes_are_limited(void)
{
    static uint8_t pixels[64 * 64];
    file f = {0};
    film out;
    stbi_write_png_to_func(append, &f, 64, 63, 1, pixels, 64);
    assert(film_decode(&out, f.bytes, f.size) == PLEURA_IMAGE_TOO_SMALL);
    free(f.bytes);
    f = (file){0};
    stbi_write_bmp_to_func(append, &f, 64, 64, 1, pixels);
    memcpy(f.bytes + 18, &(int32_t){30000}, 4);
    memcpy(f.bytes + 22, &(int32_t){-30000}, 4);
    assert(film_decode(&out, f.bytes, f.size) == PLEURA_IMAGE_TOO_LARGE);
    memcpy(f.bytes + 22, &(int32_t){INT32_MIN}, 4);
    assert(film_decode(&out, f.bytes, f.size) == PLEURA_IMAGE_TOO_LARGE);
    free(f.bytes);
    assert(from_rgba(&out, pixels, 8, 8) == PLEURA_IMAGE_TOO_SMALL);
}

/* Area averages keep the total; a constant film is blank; a ramp is mapped to -1..1. */
static void resampling_is_area_averaging(void)
{
    enum { SIDE = 37 };
    static float small[SIDE * SIDE];
    uint8_t *rgba = malloc(W * H * 4);
    for (int i = 0; i < W * H; i++) memset(rgba + 4 * i, i % W, 4);
    film ramp;
    assert(from_rgba(&ramp, rgba, W, H) == PLEURA_OK && ramp.chroma == 0);
    film_resample(small, SIDE, SIDE, &ramp, NULL);
    double sum = 0;
    for (int i = 0; i < SIDE * SIDE; i++) sum += small[i];
    assert(fabs(sum / (SIDE * SIDE) / 257 - (W - 1) / 2.0) < 1e-4);
    film_rect part = {10.5, 3.25, 14.5, 3.5}; /* half of 10, 11, half of 12; half of 12, 13, half of 14 */
    film_resample(small, 2, 1, &ramp, &part);
    assert(fabs(small[0] / 257 - 11) < 1e-4 && fabs(small[1] / 257 - 13) < 1e-4);
    assert(film_input(small, SIDE, &ramp) == 1);
    assert(small[0] == -1 && small[SIDE - 1] > 0.999f && fabsf(small[SIDE / 2]) < 0.001f);
    memset(rgba, 9, W * H * 4);
    rgba[0] = 255, rgba[1] = rgba[2] = 0; /* one red pixel: chroma, but below one per cent of the film */
    film_free(&ramp);
    assert(from_rgba(&ramp, rgba, W, H) == PLEURA_OK && fabs(ramp.chroma * W * H - 1) < 1e-3);
    film_free(&ramp);
    memset(rgba, 9, W * H * 4);
    assert(from_rgba(&ramp, rgba, W, H) == PLEURA_OK);
    assert(film_input(small, SIDE, &ramp) == 0 && small[0] == 0 && small[SIDE * SIDE - 1] == 0);
    film_free(&ramp);
    free(rgba);
}

int main(void)
{
    formats_are_read_and_fenced();
    orientation_is_applied();
    a_wrong_checksum_is_damage();
    pixels_without_a_colour_are_refused();
    a_bomb_is_damage();
    endless_scans_are_refused();
    a_missing_table_is_damage();
    a_band_without_its_dc_is_damage();
    a_second_frame_is_damage();
    lossless_jpeg_is_read();
    jpeg_of_dicom_is_fenced();
    samples_go_through_their_table();
    sizes_are_limited();
    resampling_is_area_averaging();
    puts("image: formats, prefixes, changed bytes, orientation, samples, sizes and resampling are right");
    return 0;
}
