/* test_image.c - PNG and BMP files, samples, size limits and resampling. stb_image_write makes the files; grey16.png in
 * fixtures/ was made with Pillow. */
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

#include "file.h"

/* Writes the gradient as PNG or BMP. */
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

static void png_and_bmp_are_decoded(void)
{
    for (int bmp = 0; bmp <= 1; bmp++)
        for (int channels = bmp ? 3 : 1; channels <= 4; channels++) {
            file f = make(bmp, channels);
            assert(worst_pixel(&f) == 0);
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

static void a_wrong_checksum_is_damage(void)
{
    file f = make(0, 1);
    film out;
    f.bytes[f.size - 13] ^= 1; /* the last byte of IDAT's CRC; IEND has 12 */
    assert(decode_copy(&out, f.bytes, f.size) == PLEURA_IMAGE_DAMAGED);
    free(f.bytes);
}

/* Decodes a BMP of 64 x 64 8-bit pixels, all of one index, with a header of 12 or 40 bytes and this many colours. */
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

/* Appends signature and IHDR of a PNG of 64 x 64 pixels. */
static void start_png(file *f, uint8_t depth, uint8_t colour)
{
    append(f, (uint8_t[]){0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, 8);
    put_chunk(f, "IHDR", (uint8_t[]){0, 0, 0, 64, 0, 0, 0, 64, depth, colour, 0, 0, 0}, 13);
}

/* Decodes a PNG of 64 x 64 pixels of 4 or 8 bits, all of one index, with this many colours; the first is transparent.
 */
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

/* stb_image would show uninitialised memory. */
static void pixels_without_a_colour_are_refused(void)
{
    assert(read_palette(15, 8, 16) == PLEURA_OK && read_palette(16, 8, 16) == PLEURA_IMAGE_DAMAGED &&
           read_palette(255, 8, 256) == PLEURA_OK);
    assert(read_palette(9, 4, 10) == PLEURA_OK && read_palette(10, 4, 10) == PLEURA_IMAGE_DAMAGED &&
           read_palette(15, 4, 16) == PLEURA_OK);
    assert(read_index(15, 40, 16) == PLEURA_OK && read_index(16, 40, 16) == PLEURA_IMAGE_DAMAGED &&
           read_index(255, 40, 256) == PLEURA_OK);
    assert(read_index(15, 12, 16) == PLEURA_OK && read_index(16, 12, 16) == PLEURA_IMAGE_DAMAGED &&
           read_index(255, 12, 256) == PLEURA_OK);
}

/* Decodes a PNG of 64 x 64 grey pixels whose data unpacks to this many bytes. */
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

/* Data that unpacks to far more than the header needs is refused; a little more does no harm. */
static void a_bomb_is_damage(void)
{
    assert(read_packed(64 * 65 - 1) == PLEURA_IMAGE_DAMAGED);
    assert(read_packed(64 * 65) == PLEURA_OK && read_packed(64 * 65 + 1000) == PLEURA_OK);
    assert(read_packed(1 << 20) == PLEURA_IMAGE_DAMAGED);
}

/* Samples go through their LUT; colour becomes luma and chroma. */
static void samples_become_a_film(void)
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
    enum { SIDE = 37, WIDE = 6 * W };
    static float small[SIDE * SIDE], wide[2 * WIDE];
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
    film_resample(wide, WIDE, 2, &ramp, NULL); /* enlarged beyond what goes through the rows at once */
    for (int i = 0; i < 2 * WIDE; i++) assert(fabsf(wide[i] / 257 - (float)(i % WIDE / 6)) < 1e-3f);
    assert(film_input(small, SIDE, &ramp) == 1);
    assert(small[0] == -1 && small[SIDE - 1] > 0.999f && fabsf(small[SIDE / 2]) < 0.001f);
    memset(rgba, 9, W * H * 4);
    rgba[0] = 255, rgba[1] = rgba[2] = 0; /* one red pixel: chroma, but less than 1 % of the film */
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
    png_and_bmp_are_decoded();
    a_wrong_checksum_is_damage();
    pixels_without_a_colour_are_refused();
    a_bomb_is_damage();
    samples_become_a_film();
    sizes_are_limited();
    resampling_is_area_averaging();
    puts("image: PNG, BMP, samples, sizes and resampling are right");
    return 0;
}
