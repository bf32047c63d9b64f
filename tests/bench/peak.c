/* peak.c - measures the peak of f32x4 arithmetic: twelve chains of multiply and add, all in registers. */
#include <wasm_simd128.h>

#define CHAINS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/* Returns the number of floating-point operations. The sum is never NaN, but the compiler cannot know that and must
 * compute it. */
float peak(int rounds, float factor, float term)
{
    v128_t m = wasm_f32x4_splat(factor), a = wasm_f32x4_splat(term);
#define START(i) v128_t s##i = wasm_f32x4_splat((float)i);
#define STEP(i) s##i = wasm_f32x4_add(wasm_f32x4_mul(s##i, m), a);
#define JOIN(i) sum = wasm_f32x4_add(sum, s##i);
    CHAINS(START)
    for (int round = 0; round < rounds; round++) {
        CHAINS(STEP)
    }
    v128_t sum = a;
    CHAINS(JOIN)
    float operations = 12.0f * 4 * 2 * (float)rounds, used = wasm_f32x4_extract_lane(sum, 0);
    return used == used ? operations : 0;
}
