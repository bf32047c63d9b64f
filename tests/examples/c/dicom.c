/* dicom.c - classifies the pixels of a DICOM film with the installed C library.
 *
 *     cc dicom.c $(pkg-config --cflags --libs pleura) -o dicom
 *     ./dicom $(pkg-config --variable=weights pleura) film.dcm
 *
 * libpleura takes samples and a table that says what they show. This reader fills both from an uncompressed grey film in
 * explicit VR, little endian, with rescale and window, and refuses whatever it would show in another way than a
 * viewer. For every other file use a DICOM library, or first `dcmconv +te`, `dcmdjpeg` or `gdcmconv --raw`. A program
 * that knows from the header that this is no frontal chest film says so in tag_reason. */
#include <inttypes.h>
#include <math.h>
#include <pleura.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *pixels; /* little endian */
    size_t size;
    unsigned rows, columns, samples, allocated, stored, high, is_signed;
    double slope, intercept, centre, width; /* width 0: no window */
    int inverted;
} film;

_Noreturn static void fail(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
    exit(1);
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) return perror(path), exit(1), NULL;
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size) return perror(path), exit(1), NULL;
    fclose(file);
    return bytes;
}

static unsigned u16(const uint8_t *p) { return p[0] | (unsigned)p[1] << 8; }
static uint32_t u32(const uint8_t *p) { return u16(p) | (uint32_t)u16(p + 2) << 16; }

/* The first of the numbers of a text such as "1800\900 ". */
static double number(const uint8_t *text, size_t size)
{
    char copy[17] = "";
    memcpy(copy, text, size < 16 ? size : 16);
    return strtod(copy, NULL);
}

static int equals(const uint8_t *text, size_t size, const char *word)
{
    while (size && (text[size - 1] == ' ' || text[size - 1] == 0)) size--;
    return size == strlen(word) && !memcmp(text, word, size);
}

/* Notes one element of the data set; those that are not needed pass. */
static void note(film *f, uint32_t tag, const uint8_t *value, size_t size)
{
    unsigned word = size >= 2 ? u16(value) : 0;
    switch (tag) {
    case 0x00020010:
        if (!equals(value, size, "1.2.840.10008.1.2.1")) fail("The pixels are compressed, or not in explicit VR.");
        break;
    case 0x00200020:
        if (size && !equals(value, size, "L\\F")) fail("The film is turned.");
        break;
    case 0x00280002: f->samples = word; break;
    case 0x00280004:
        f->inverted = equals(value, size, "MONOCHROME1");
        if (!f->inverted && !equals(value, size, "MONOCHROME2")) fail("The film is not grey.");
        break;
    case 0x00280010: f->rows = word; break;
    case 0x00280011: f->columns = word; break;
    case 0x00280100: f->allocated = word; break;
    case 0x00280101: f->stored = word; break;
    case 0x00280102: f->high = word; break;
    case 0x00280103: f->is_signed = word; break;
    case 0x00281050: f->centre = number(value, size); break;
    case 0x00281051: f->width = number(value, size); break;
    case 0x00281052: f->intercept = number(value, size); break;
    case 0x00281053: f->slope = number(value, size); break;
    case 0x00281056:
        if (size && !equals(value, size, "LINEAR")) fail("The window is not linear.");
        break;
    case 0x00280034:
    case 0x00280120:
    case 0x00283000:
    case 0x00283010:
    case 0x20500020: fail("The film has a lookup table, padding or pixels of another shape.");
    case 0x7fe00010: f->pixels = value, f->size = size;
    }
}

/* Walks the elements (PS3.5, 7.1.2). Sequences of defined length are passed in one step; of those without, `depth`
 * counts how many are open. */
static film read_film(const uint8_t *file, size_t size)
{
    film f = {.samples = 1, .slope = 1};
    if (size < 132 || memcmp(file + 128, "DICM", 4)) fail("This is not a DICOM file.");
    int depth = 0;
    for (size_t at = 132; at + 8 <= size;) {
        uint32_t tag = u16(file + at) << 16 | u16(file + at + 2);
        const char *vr = (const char *)file + at + 4;
        int item = tag >> 16 == 0xfffe,
            is_long = !item && strstr("OB OD OF OL OV OW SQ SV UC UN UR UT UV ", (char[]){vr[0], vr[1], ' ', 0});
        if (is_long && at + 12 > size) break;
        uint32_t length = item ? u32(file + at + 4) : is_long ? u32(file + at + 8) : u16(file + at + 6);
        at += is_long ? 12 : 8;
        if (length == UINT32_MAX) {
            if (tag == 0x7fe00010) fail("The pixels are compressed.");
            depth += !item;
            continue;
        }
        if (length > size - at) fail("The file is cut off.");
        if (tag == 0xfffee0dd) depth--;
        if (!item && !depth) note(&f, tag, file + at, length);
        at += length;
    }
    return f;
}

/* The grey of every possible word: rescaled, through the window, the stored range without one (PS3.3, C.11.2.1.2). */
static void fill_table(const film *f, uint16_t *table)
{
    long count = 1L << f->stored, low = f->is_signed ? -count / 2 : 0;
    double first = (double)low * f->slope + f->intercept, last = (double)(low + count - 1) * f->slope + f->intercept;
    for (long word = 0; word < 65536; word++) {
        long stored = word >> (f->high + 1 - f->stored) & (count - 1);
        if (f->is_signed && stored >= count / 2) stored -= count;
        double value = (double)stored * f->slope + f->intercept, from_centre = value - (f->centre - 0.5), grey;
        if (f->width < 1) grey = (value - (first < last ? first : last)) / fabs(last - first);
        else grey = f->width == 1 ? from_centre > 0 : from_centre / (f->width - 1) + 0.5;
        grey = grey < 0 ? 0 : grey > 1 ? 1 : grey;
        table[word] = (uint16_t)(grey * 65535 + 0.5);
        if (f->inverted) table[word] = (uint16_t)(65535 - table[word]);
    }
}

int main(int count, char **path)
{
    if (count != 3) return fprintf(stderr, "usage: dicom WEIGHTS FILM\n"), 2;
    if (pleura_abi() != PLEURA_ABI) fail("libpleura has another version than the header.");
    size_t weights_size, size;
    uint8_t *weights = read_file(path[1], &weights_size), *file = read_file(path[2], &size);
    film f = read_film(file, size);
    size_t pixels = (size_t)f.rows * f.columns, bytes = f.allocated / 8;
    if (f.samples != 1 || (bytes != 1 && bytes != 2)) fail("The film is not grey, or not of 8 or 16 bits.");
    if (f.stored < 1 || f.stored > f.allocated || f.high < f.stored - 1 || f.high >= f.allocated)
        fail("The bits of a pixel make no sense.");
    if (f.slope == 0) f.slope = 1;
    if (!pixels || f.size / bytes < pixels) fail("There are fewer pixels than rows and columns.");

    static uint16_t table[65536];
    uint16_t *values = malloc(2 * pixels);
    if (!values) fail("There is not enough memory.");
    for (size_t i = 0; i < pixels; i++) values[i] = (uint16_t)(bytes == 2 ? u16(f.pixels + 2 * i) : f.pixels[i]);
    fill_table(&f, table);
    pleura_samples samples = {values, (int)f.columns, (int)f.rows, 1, table, PLEURA_ACCEPTED};
    pleura_engine *engine;
    pleura_result result;
    pleura_status status = pleura_open(&engine, weights, weights_size, PLEURA_SIMD);
    if (!status) status = pleura_diagnose_samples(engine, &result, &samples);
    if (status) fail(pleura_status_text(status));
    if (result.verdict == PLEURA_REFUSED) printf("refused: %s\n", pleura_gate_text(result.gate));
    for (int i = 0; i < result.label_count && result.verdict != PLEURA_REFUSED; i++) {
        const char *label;
        size_t length;
        pleura_text(engine, &label, &length, "pleura.labels", (size_t)i);
        printf("%.*s %.3f\n", (int)length, label, result.probability[i]);
    }
    printf("bits %016" PRIx64 "\n", result.bits);
    pleura_close(engine);
    free(values);
    free(weights);
    free(file);
    return 0;
}
