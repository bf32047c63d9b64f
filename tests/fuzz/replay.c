/* replay.c - a fuzz target's program where libFuzzer is not: runs the target once on each file. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../support/read_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Every failure ends in the handler, which can name the file. */
const char *__asan_default_options(void), *__msan_default_options(void);
const char *__asan_default_options(void) { return "abort_on_error=1"; }
const char *__msan_default_options(void) { return "abort_on_error=1"; }

static const char *path;

static void name_file(int number)
{
    ssize_t written = write(2, path, strlen(path)) + write(2, "\n", 1);
    (void)written, (void)number;
}

int main(int count, char **paths)
{
    signal(SIGABRT, name_file);
    for (int i = 1; i < count; i++) {
        size_t size;
        uint8_t *bytes = read_file(path = paths[i], &size);
        LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
    }
    printf("%s: %d files\n", paths[0], count - 1);
    return count < 2;
}
