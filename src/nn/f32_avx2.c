/* f32_avx2.c - the float kernels on vectors of 256 bits; f32_wide.h says how. */
#include "nn/fastest.h"

#ifdef PLEURA_X86
#include <immintrin.h>

#include "nn/depthwise.h"
#include "nn/int8.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

/* 6 pixels x 2 vectors of sums, 2 of weights, the input and a product fit 16 registers. */
enum { PIXELS = 6 };

#define EACH_OF_MANY(X) X(0) X(1) X(2) X(3) X(4) X(5)

#define LANES 8
#include "nn/f32_wide.h"
#define LANES 4
#include "nn/f32_wide.h"
#define WIDEST 8
#include "nn/f32_wide_table.h"

const kernels kernels_avx2 = {
    conv,           depthwise,      maxpool,         avgpool,   add, mul, activate, resize_bilinear,
    global_avgpool, winograd_input, winograd_output, &int8_avx2};

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
