/* bits.c - prints the native engine's answers: bits [--reference] WEIGHTS FILE... prints "code verdict bits logits..."
 * for the phantom and for each file. */
#include <string.h>

#include "pleura.h"
#include "../support/read_file.h"

/* A file of samples as the DICOM reader passes them to the engine: width, height and channels as 32-bit integers, then
 * the table, then the samples. */
static pleura_status diagnose_samples(pleura_engine *e, pleura_result *r, const uint8_t *file)
{
    const uint32_t *shape = (const void *)file;
    const uint16_t *table = (const void *)(shape + 3);
    pleura_samples s = {.values = table + 65536,
                        .width = (int)shape[0],
                        .height = (int)shape[1],
                        .channels = (int)shape[2],
                        .table = table};
    return pleura_diagnose_samples(e, r, &s);
}

static void print(pleura_status status, const pleura_result *r)
{
    printf("%s %d %016llx", pleura_status_code(status), status ? 0 : r->verdict,
           status ? 0 : (unsigned long long)r->bits);
    for (int i = 0; !status && i < r->label_count; i++) printf(" %.9g", (double)r->logits[i]);
    puts("");
}

int main(int count, char **paths)
{
    size_t size;
    pleura_engine *e;
    pleura_result r;
    int reference = count > 1 && strcmp(paths[1], "--reference") == 0, first = 1 + reference;
    if (count <= first) return 2;
    uint8_t *weights = read_file(paths[first], &size);
    pleura_status status = pleura_open(&e, weights, size, reference ? PLEURA_REFERENCE : PLEURA_SIMD);
    if (status) {
        fprintf(stderr, "%s: %s\n", paths[first], pleura_status_text(status));
        free(weights);
        return 1;
    }
    status = pleura_diagnose_phantom(e, &r);
    print(status, &r);
    for (int i = first + 1; i < count; i++) {
        uint8_t *file = read_file(paths[i], &size);
        int samples = size > 8 && memcmp(file, "samples ", 8) == 0;
        status = samples ? diagnose_samples(e, &r, file + 8) : pleura_diagnose(e, &r, file, size);
        print(status, &r);
        free(file);
    }
    pleura_close(e);
    free(weights);
    return 0;
}
