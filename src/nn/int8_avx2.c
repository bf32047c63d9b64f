/* int8_avx2.c - the kernels of int8_simd.c compiled for AVX2, with dot products on vectors of 256 bits. */
#include "nn/fastest.h"

#ifdef PLEURA_X86
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif
#define SIMDE_X86_AVX2_NATIVE /* clang's attribute does not tell SIMDe what may be used */

#include "nn/int8.h"

/* A vector holds a quad of all 8 outputs. The products of two neighbours fit 16 bits, since activations have 7. */
static void dot_products(int32_t *sums, const void *panel, const int8_t *w0, const int8_t *w1, int quads, int pixels)
{
    const uint8_t *at = panel;
    const __m256i ones = _mm256_set1_epi16(1);
    for (int p = 0; p < pixels; p += 4, sums += 32, at += 16 * quads) {
        __m256i a0 = _mm256_setzero_si256(), a1 = a0, a2 = a0, a3 = a0;
        for (int q = 0; q < quads; q++) {
            __m128i low = _mm_loadu_si128((const __m128i *)(w0 + 16 * q));
            __m256i u = _mm256_inserti128_si256(_mm256_castsi128_si256(low),
                                                _mm_loadu_si128((const __m128i *)(w1 + 16 * q)), 1);
#define STEP(i)                                                                                                        \
    {                                                                                                                  \
        __m256i x = _mm256_castps_si256(_mm256_broadcast_ss((const float *)(const void *)(at + 4 * (q + i * quads)))); \
        a##i = _mm256_add_epi32(a##i, _mm256_madd_epi16(_mm256_maddubs_epi16(x, u), ones));                            \
    }
            STEP(0)
            STEP(1)
            STEP(2)
            STEP(3)
#undef STEP
        }
        _mm256_storeu_si256((__m256i *)sums, a0), _mm256_storeu_si256((__m256i *)(sums + 8), a1);
        _mm256_storeu_si256((__m256i *)(sums + 16), a2), _mm256_storeu_si256((__m256i *)(sums + 24), a3);
    }
}

/* The dot products of 4 tiles with 8 output channels, or with 4. A vector holds a quad of 4 outputs, a sum two halves of
 * each. */
static inline __attribute__((always_inline)) void dot_4_tiles(int32_t *sums, const int16_t *panel, const int16_t *w,
                                                              int channels, int quads)
{
    const int16_t *w1 = channels == 8 ? w + 16 * quads : w;
    __m256i a0 = _mm256_setzero_si256(), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    for (int q = 0; q < quads; q++, panel += 16, w += 16, w1 += 16) {
        __m256i u = _mm256_loadu_si256((const __m256i *)w), v = _mm256_loadu_si256((const __m256i *)w1);
#define STEP(i)                                                                                              \
    {                                                                                                        \
        __m256i x = _mm256_castpd_si256(_mm256_broadcast_sd((const double *)(const void *)(panel + 4 * i))); \
        a##i = _mm256_add_epi32(a##i, _mm256_madd_epi16(u, x));                                              \
        if (channels == 8) b##i = _mm256_add_epi32(b##i, _mm256_madd_epi16(v, x));                           \
    }
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
#undef STEP
    }
#define STORE(i)                                                                        \
    {                                                                                   \
        __m256i joined = _mm256_permute4x64_epi64(_mm256_hadd_epi32(a##i, b##i), 0xd8); \
        int32_t *to = sums + i * TILE_POSITIONS * 8;                                    \
        if (channels == 8) _mm256_storeu_si256((__m256i *)to, joined);                  \
        else _mm_storeu_si128((__m128i *)to, _mm256_castsi256_si128(joined));           \
    }
    STORE(0)
    STORE(1)
    STORE(2)
    STORE(3)
#undef STORE
}

static void dot_tiles(int32_t *sums, const int16_t *panel, const int16_t *w, int channels, int quads, int tiles)
{
    for (int n = 0; n < tiles; n += 4, sums += 4 * TILE_POSITIONS * 8, panel += 4 * TILE_POSITIONS * 4 * quads)
        if (channels == 8) dot_4_tiles(sums, panel, w, 8, quads);
        else dot_4_tiles(sums, panel, w, 4, quads);
}

#define TABLE int8_avx2
#define WIDE 0
#include "nn/int8_simd.c"

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
