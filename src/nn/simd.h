/* simd.h - 128-bit vectors by the intrinsics of WebAssembly; natively SIMDe provides the same names. */
#ifndef PLEURA_SIMD_H
#define PLEURA_SIMD_H

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>
#endif

#include "nn/activation.h"

/* clamp_to_act of f32.h on four floats: pmax(0, v) is 0 < v ? v : 0, pmin(v, 6) is 6 < v ? 6 : v. */
static inline v128_t clamp_to_act4(v128_t v, activation act)
{
    if (act == ACT_RELU || act == ACT_RELU6) v = wasm_f32x4_pmax(wasm_f32x4_const(0, 0, 0, 0), v);
    return act == ACT_RELU6 ? wasm_f32x4_pmin(v, wasm_f32x4_const(6, 6, 6, 6)) : v;
}

#endif
