/* read_file.h - reads a whole file for the C tests; exits with a message if it cannot. */
#ifndef READ_FILE_H
#define READ_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns the bytes of a file, which the caller frees. The buffer has exactly *size bytes, so AddressSanitizer sees
 * every read past the end. */
static inline uint8_t *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = NULL;
    if (f && fseek(f, 0, SEEK_END) == 0 && (bytes = malloc(*size = (size_t)ftell(f))) != NULL) {
        rewind(f);
        if (fread(bytes, 1, *size, f) == *size) {
            fclose(f);
            return bytes;
        }
    }
    fprintf(stderr, "cannot read %s; run this in the root of the project\n", path);
    exit(1);
}

#endif
