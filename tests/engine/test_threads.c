/* test_threads.c - one engine per thread on shared weights, under ThreadSanitizer: the same bits as in one thread. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "pleura.h"
#include "../support/read_file.h"

enum { THREADS = 2, FILMS = 4, ROUNDS = 3 };

typedef struct {
    const uint8_t *weights, *film[FILMS];
    size_t weights_size, film_size[FILMS];
} job;

typedef struct {
    const job *job;
    uint64_t bits[FILMS + 1];
} worker;

/* Opens, diagnoses and closes several times; stores the bits of the phantom and of each film. */
static void *work(void *argument)
{
    worker *w = argument;
    const job *j = w->job;
    for (int round = 0; round < ROUNDS; round++) {
        pleura_engine *e;
        pleura_result r;
        assert(pleura_open(&e, j->weights, j->weights_size, PLEURA_SIMD) == PLEURA_OK);
        assert(pleura_diagnose_phantom(e, &r) == PLEURA_OK);
        w->bits[FILMS] = r.bits;
        for (int i = 0; i < FILMS; i++) {
            assert(pleura_diagnose(e, &r, j->film[i], j->film_size[i] / 2) == PLEURA_IMAGE_DAMAGED);
            assert(pleura_diagnose(e, &r, j->film[i], j->film_size[i]) == PLEURA_OK);
            assert(!round || w->bits[i] == r.bits);
            w->bits[i] = r.bits;
        }
        pleura_close(e);
    }
    return NULL;
}

int main(void)
{
    static const char *const paths[FILMS] = {"tests/fixtures/grey.jpg", "tests/fixtures/grey16.png",
                                             "tests/fixtures/corners.jpg", "tests/fixtures/progressive.jpg"};
    job j;
    uint8_t *files[FILMS + 1];
    j.weights = files[FILMS] = read_file("tests/fixtures/tiny.gguf", &j.weights_size);
    for (int i = 0; i < FILMS; i++) j.film[i] = files[i] = read_file(paths[i], &j.film_size[i]);
    worker alone = {&j, {0}}, together[THREADS];
    work(&alone);
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        together[i].job = &j;
        assert(pthread_create(&thread[i], NULL, work, &together[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert(pthread_join(thread[i], NULL) == 0);
        for (int f = 0; f <= FILMS; f++) assert(together[i].bits[f] == alone.bits[f]);
    }
    for (int i = 0; i <= FILMS; i++) free(files[i]);
    return 0;
}
