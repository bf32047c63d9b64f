/* film.c - prints what the engine decodes: for each file "code width height", a line's end, and 16-bit pixels. */
#include <stdio.h>
#include <stdlib.h>

#include "image.h"

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++) {
        FILE *from = fopen(paths[i], "rb");
        if (!from) return 1;
        fseek(from, 0, SEEK_END);
        size_t size = (size_t)ftell(from);
        rewind(from);
        uint8_t *bytes = malloc(size ? size : 1);
        if (!bytes || fread(bytes, 1, size, from) != size) return 1;
        fclose(from);
        film f = {0};
        pleura_status status = film_decode(&f, bytes, size);
        free(bytes);
        printf("%s %d %d\n", pleura_status_code(status), f.width, f.height);
        fwrite(f.pixels, sizeof *f.pixels, (size_t)f.width * (size_t)f.height, stdout);
        film_free(&f);
    }
    return 0;
}
