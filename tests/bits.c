/* bits.c - the native engine's answers: for the phantom and each file, "code verdict bits logits...", from the weights in argv[1]. */
#include "pleura.h"
#include "read_file.h"

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
    if (count < 2) return 2;
    uint8_t *weights = read_file(paths[1], &size);
    pleura_status status = pleura_open(&e, weights, size, 0);
    if (status) {
        fprintf(stderr, "%s: %s\n", paths[1], pleura_status_text(status));
        return 1;
    }
    status = pleura_diagnose_phantom(e, &r);
    print(status, &r);
    for (int i = 2; i < count; i++) {
        uint8_t *file = read_file(paths[i], &size);
        status = pleura_diagnose(e, &r, file, size);
        print(status, &r);
        free(file);
    }
    pleura_close(e);
    free(weights);
    return 0;
}
