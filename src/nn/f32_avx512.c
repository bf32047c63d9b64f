/* f32_avx512.c - the float kernels on vectors of 512 bits; f32_wide.h says how. */
#include "nn/fastest.h"

#ifdef PLEURA_X86
#include <immintrin.h>

#include "nn/depthwise.h"
#include "nn/int8.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl")
#endif

/* 12 pixels x 2 vectors of sums, 2 of weights and the input fit 32 registers. */
enum { PIXELS = 12 };

#define EACH_OF_MANY(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

#define LANES 16
#include "nn/f32_wide.h"
#define LANES 8
#include "nn/f32_wide.h"
#define LANES 4
#include "nn/f32_wide.h"
#define WIDEST 16
#include "nn/f32_wide_table.h"

const kernels kernels_avx512 = {
    conv,           depthwise,      maxpool,         avgpool,   add, mul, activate, resize_bilinear,
    global_avgpool, winograd_input, winograd_output, &int8_avx2};

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
