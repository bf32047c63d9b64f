/* test_jpeg.c - JPEG: common processes, EXIF orientation, hostile scans, and the lossless and 12-bit streams of DICOM.
 * The files in fixtures/ hold the gradient, made with Pillow, the 12-bit one with dcmtk; lossless files are written
 * here.
 */
#include "file.h"

static void common_processes_are_decoded(void)
{
    static const char *const jpegs[] = {"tests/fixtures/grey.jpg", "tests/fixtures/colour.jpg",
                                        "tests/fixtures/progressive.jpg", "tests/fixtures/cmyk.jpg"};
    for (size_t i = 0; i < sizeof jpegs / sizeof *jpegs; i++) {
        file f = open_file(jpegs[i]);
        assert(worst_pixel(&f) <= 3);
        every_prefix_is_refused(&f);
        changed_bytes_do_no_harm(&f);
        free(f.bytes);
    }
}

/* Inserts an EXIF segment with this orientation behind SOI, in either byte order. */
static file with_orientation(const file *jpeg, int orientation, int big)
{
    uint8_t little[] = "\xff\xe1\0\42Exif\0\0II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0?\0\0\0\0\0\0";
    uint8_t large[] = "\xff\xe1\0\42Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0?\0\0\0\0\0";
    little[28] = large[29] = (uint8_t)orientation;
    file f = {0};
    append(&f, jpeg->bytes, 2);
    append(&f, big ? large : little, 36);
    append(&f, jpeg->bytes + 2, (int)jpeg->size - 2);
    return f;
}

/* The corners of the stored film are 40, 100, 160 and 220, clockwise from the upper left. */
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

/* Returns the offset of the first marker with this code, from `at` on. */
static size_t marker_at(const file *f, int code, size_t at)
{
    while (f->bytes[at] != 0xff || f->bytes[at + 1] != code) at++;
    return at;
}

/* Returns the offset behind the scan that begins at `at`. */
static size_t scan_end(const file *f, size_t at)
{
    for (at += 2; f->bytes[at] != 0xff || f->bytes[at + 1] == 0;) at++;
    return at;
}

/* Repeats the first scan of a progressive file, each a pass over the whole film. */
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

/* Without its quantisation table a film would be all grey. */
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

/* The first scan of a progressive file holds the DC coefficients; without it the film would be wrong. */
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

/* A second, small frame must not replace the first, or its samples would be decoded into the wrong buffer. */
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

/* A writer of lossless JPEG (T.81, annex H). Its Huffman table gives each of the 17 categories a code of five bits. */
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

/* Predicts sample i of a line (table H.1). first: the line is the first of the image or behind a restart. */
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

static void lossless_is_decoded(void)
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
                assert(decode_copy(&refused, f.bytes, f.size) == PLEURA_JPEG_DEPTH);
                free(f.bytes);
            }
}

/* Decodes a copy of the exact size to samples. */
static pleura_status jpeg_copy(film_samples *out, const uint8_t *bytes, size_t size)
{
    int bits;
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    pleura_status status = samples_from_jpeg(out, &bits, copy, size);
    free(copy);
    return status;
}

/* 12-bit samples are within 12 of 4096. Hostile streams do no harm and give the same samples twice. */
static void dicom_streams_withstand_damage(void)
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

int main(void)
{
    common_processes_are_decoded();
    orientation_is_applied();
    endless_scans_are_refused();
    a_missing_table_is_damage();
    a_band_without_its_dc_is_damage();
    a_second_frame_is_damage();
    lossless_is_decoded();
    dicom_streams_withstand_damage();
    puts("jpeg: processes, orientation, hostile scans, lossless and 12-bit streams are right");
    return 0;
}
