/* int8_relaxed.c - pleura.dot.wasm: the dot products of int8.h by relaxed SIMD, for engines that have it. The module
 * works on the memory of pleura.wasm and has none of its own, not even a stack. */
#include <wasm_simd128.h>

#define dot(sum, w, x) wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w, x, sum)

/* 4 pixels x 8 channels: 8 sums, 2 weights and 4 splats fit the 15 vector registers that V8 leaves. */
__attribute__((export_name("products"))) void products(int *sums, const signed char *panel, const signed char *w0,
                                                       const signed char *w1, int quads, int pixels)
{
    for (int p = 0; p < pixels; p += 4, sums += 32, panel += 16 * quads) {
        const signed char *p0 = panel, *p1 = p0 + 4 * quads, *p2 = p1 + 4 * quads, *p3 = p2 + 4 * quads;
        v128_t a0 = wasm_i32x4_const_splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        for (int q = 0; q < quads; q++) {
            v128_t u = wasm_v128_load(w0 + 16 * q), v = wasm_v128_load(w1 + 16 * q);
            v128_t x0 = wasm_v128_load32_splat(p0 + 4 * q), x1 = wasm_v128_load32_splat(p1 + 4 * q);
            a0 = dot(a0, u, x0), b0 = dot(b0, v, x0);
            a1 = dot(a1, u, x1), b1 = dot(b1, v, x1);
            v128_t x2 = wasm_v128_load32_splat(p2 + 4 * q), x3 = wasm_v128_load32_splat(p3 + 4 * q);
            a2 = dot(a2, u, x2), b2 = dot(b2, v, x2);
            a3 = dot(a3, u, x3), b3 = dot(b3, v, x3);
        }
        wasm_v128_store(sums, a0), wasm_v128_store(sums + 4, b0);
        wasm_v128_store(sums + 8, a1), wasm_v128_store(sums + 12, b1);
        wasm_v128_store(sums + 16, a2), wasm_v128_store(sums + 20, b2);
        wasm_v128_store(sums + 24, a3), wasm_v128_store(sums + 28, b3);
    }
}
