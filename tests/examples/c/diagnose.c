/* diagnose.c - classifies one film with the installed C library.
 *
 *     cc diagnose.c $(pkg-config --cflags --libs pleura) -o diagnose
 *     ./diagnose $(pkg-config --variable=weights pleura) film.png */
#include <pleura.h>
#include <stdio.h>
#include <stdlib.h>

static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) return perror(path), exit(1), NULL;
    *size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size) return perror(path), exit(1), NULL;
    fclose(file);
    return bytes;
}

int main(int count, char **path)
{
    if (count != 3) return fprintf(stderr, "usage: diagnose WEIGHTS FILM\n"), 2;
    size_t weights_size, film_size;
    void *weights = read_file(path[1], &weights_size), *film = read_file(path[2], &film_size);
    pleura_engine *engine;
    pleura_result result;
    pleura_status status = pleura_open(&engine, weights, weights_size, PLEURA_SIMD);
    if (!status) status = pleura_diagnose(engine, &result, film, film_size);
    if (status) return fprintf(stderr, "%s\n", pleura_status_text(status)), 1;
    if (result.verdict == PLEURA_REFUSED) return printf("refused: %s\n", pleura_gate_text(result.gate)), 0;
    if (result.verdict == PLEURA_UNCERTAIN) puts("uncertain");
    for (int i = 0; i < result.label_count; i++) {
        const char *label;
        size_t size;
        pleura_text(engine, &label, &size, "pleura.labels", (size_t)i);
        printf("%c %.*s %.3f\n", i == result.verdict ? '*' : ' ', (int)size, label, result.probability[i]);
    }
    pleura_close(engine);
    free(weights);
    free(film);
    return 0;
}
