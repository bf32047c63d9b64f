/* fastest.h - the fastest kernels that this processor has, all with the bits of the reference. WebAssembly has one
 * choice. */
#ifndef PLEURA_FASTEST_H
#define PLEURA_FASTEST_H

#include "nn/f32.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define PLEURA_X86
extern const kernels kernels_avx2, kernels_avx512; /* for processors that have these instructions */
#endif

static inline const kernels *kernels_fastest(void)
{
#ifdef PLEURA_X86
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return &kernels_avx512;
    if (__builtin_cpu_supports("avx2")) return &kernels_avx2;
#endif
    return &kernels_simd;
}

#endif
