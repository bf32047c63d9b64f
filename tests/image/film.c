/* film.c - decodes files for the Node tests. Prints "code status width height", a newline and 16-bit pixels for each file. */
#include "image/film.h"
#include "../support/read_file.h"

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++) {
        size_t size;
        uint8_t *bytes = read_file(paths[i], &size);
        film f = {0};
        pleura_status status = film_decode(&f, bytes, size);
        free(bytes);
        printf("%s %d %d %d\n", pleura_status_code(status), status, f.width, f.height);
        fwrite(f.pixels, sizeof *f.pixels, (size_t)f.width * (size_t)f.height, stdout);
        film_free(&f);
    }
    return 0;
}
