/* read_file.h - a whole file for the C tests, or an end with a sentence. */
#ifndef READ_FILE_H
#define READ_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The bytes, for the caller to free, exactly *size long so that AddressSanitizer sees every read past the end. */
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
    fprintf(stderr, "%s cannot be read: run this from the project's root\n", path);
    exit(1);
}

#endif
