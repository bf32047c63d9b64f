// pixels.cpp - classifies the pixels of a DICOM film from a C++ program. A DICOM library, here dcmtk, reads the file; libpleura
// takes the samples and the table that says what they show.
//
//     c++ pixels.cpp $(pkg-config --cflags --libs pleura) -o pixels
//     dcmdump +L +W . film.dcm                        # or any other way to the raw pixels
//     ./pixels $(pkg-config --variable=weights pleura) film.raw WIDTH HEIGHT BITS
#include <pleura.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

static std::vector<char> read_file(const char *path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

int main(int count, char **word)
{
    if (count != 6) return std::fprintf(stderr, "usage: pixels WEIGHTS RAW WIDTH HEIGHT BITS\n"), 2;
    if (pleura_abi() != PLEURA_ABI) return std::fprintf(stderr, "libpleura is %s\n", pleura_version()), 1;
    const std::vector<char> weights = read_file(word[1]), raw = read_file(word[2]);
    const int width = std::atoi(word[3]), height = std::atoi(word[4]), bits = std::atoi(word[5]);
    if (raw.size() != 2 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))
        return std::fprintf(stderr, "%s does not hold 16 bits per pixel\n", word[2]), 1;

    // MONOCHROME2 without a window: the largest value is white. Others need a table from their tags (PS3.3, C.11).
    std::vector<std::uint16_t> table(65536);
    const long top = (1L << bits) - 1;
    for (long i = 0; i < 65536; i++)
        table[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(i >= top ? 65535 : i * 65535 / top);

    pleura_samples film = {};
    film.values = reinterpret_cast<const std::uint16_t *>(raw.data());
    film.width = width, film.height = height, film.channels = 1;
    film.table = table.data();
    pleura_engine *engine;
    pleura_result result;
    pleura_status status = pleura_open(&engine, weights.data(), weights.size(), PLEURA_SIMD);
    if (!status) status = pleura_diagnose_samples(engine, &result, &film);
    if (status) return std::fprintf(stderr, "%s\n", pleura_status_text(status)), 1;
    std::printf("%s %d", pleura_version(), result.verdict);
    for (int i = 0; i < result.label_count; i++) std::printf(" %.6f", static_cast<double>(result.probability[i]));
    std::printf("\n");
    pleura_close(engine);
    return 0;
}
