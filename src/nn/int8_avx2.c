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

/* As in int8_simd.c. A vector holds a quad of all 4 outputs, a sum two neighbours of each. Weights are int16_t. */
static inline __attribute__((always_inline)) void dot_4x4(int32_t *sums, int apart, const int16_t *panel, const void *w,
                                                          int wide, int quads)
{
    const int16_t *weight = w;
    __m256i a0 = _mm256_setzero_si256(), a1 = a0, a2 = a0, a3 = a0;
    (void)wide;
    for (int q = 0; q < quads; q++, panel += 16, weight += 16) {
        __m256i u = _mm256_loadu_si256((const __m256i *)weight);
#define SPLAT(i) _mm256_castpd_si256(_mm256_broadcast_sd((const double *)(const void *)(panel + 4 * i)))
        a0 = _mm256_add_epi32(a0, _mm256_madd_epi16(u, SPLAT(0)));
        a1 = _mm256_add_epi32(a1, _mm256_madd_epi16(u, SPLAT(1)));
        a2 = _mm256_add_epi32(a2, _mm256_madd_epi16(u, SPLAT(2)));
        a3 = _mm256_add_epi32(a3, _mm256_madd_epi16(u, SPLAT(3)));
#undef SPLAT
    }
#define JOIN(a) _mm_hadd_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1))
    _mm_storeu_si128((__m128i *)sums, JOIN(a0));
    _mm_storeu_si128((__m128i *)(sums + apart), JOIN(a1));
    _mm_storeu_si128((__m128i *)(sums + 2 * apart), JOIN(a2));
    _mm_storeu_si128((__m128i *)(sums + 3 * apart), JOIN(a3));
#undef JOIN
}

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

#define TABLE int8_avx2
#define WIDE 0
#include "nn/int8_simd.c"

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
