/* replay.c - the main program of a fuzz target that is built without libFuzzer: runs the target once on each file. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../support/read_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Sanitizers abort on a failure, so that the signal handler can print the name of the file. */
const char *__asan_default_options(void), *__msan_default_options(void);
const char *__asan_default_options(void) { return "abort_on_error=1"; }
const char *__msan_default_options(void) { return "abort_on_error=1"; }

static const char *path;

static void print_path(int number)
{
    ssize_t written = write(2, path, strlen(path)) + write(2, "\n", 1);
    (void)written, (void)number;
}

int main(int count, char **paths)
{
    signal(SIGABRT, print_path);
    for (int i = 1; i < count; i++) {
        size_t size;
        uint8_t *bytes = read_file(path = paths[i], &size);
        LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
    }
    printf("%s: %d files\n", paths[0], count - 1);
    return count < 2;
}
