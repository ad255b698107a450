/* The inner products and the rounding of kernels.c: in plain C99, with Armv7E-M's DSP instructions
 * (Cortex-M4, M7, M33) or with Helium (MVE: Cortex-M55, M85). All give the same bits.
 *
 * The compiler's target decides; define TFKD_PLAIN_C to have plain C99 everywhere.
 */
#ifndef TFKD_ARITHMETIC_H_
#define TFKD_ARITHMETIC_H_

#include <stdint.h>
#include <string.h>

#include "kernels.h"

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED) && defined(__GNUC__) && \
    !defined(TFKD_PLAIN_C)
#define TFKD_DSP
#if defined(__ARM_FEATURE_MVE)
#define TFKD_MVE
#include <arm_mve.h>
#endif
#endif

#ifdef __GNUC__
#define TFKD_OUT_OF_LINE __attribute__((noinline)) /* saves registers where it stands */
#else
#define TFKD_OUT_OF_LINE
#endif

/* C99 leaves the right shift of a negative number to the compiler; this one must be arithmetic. */
typedef char tfkd_needs_arithmetic_shift[((-1) >> 1) == -1 ? 1 : -1];

/* x * multiplier / 2^32, rounded to nearest with ties up. */
static inline int32_t multiply_high(int32_t x, int32_t multiplier)
{
#ifdef TFKD_DSP
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(x), "r"(multiplier));
    return high;
#else
    const int64_t product = (int64_t)x * multiplier;
    return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
#endif
}

/* x * multiplier * 2^(-32 - shift), its last bit still to be rounded off: (result + 1) >> 1.
 *
 * TensorFlow Lite rounds x / 2 * multiplier / 2^31, then again, to nearest with ties away from 0,
 * which is (high + (high >> 31) + 2^shift) >> (shift + 1). */
static inline int32_t scale_twofold(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t high = multiply_high(x, multiplier);
    return (high + (high >> 31)) >> shift;
}

/* x / 2, rounded down and limited to the range of int8. */
static inline int32_t saturate_half(int32_t x)
{
#ifdef TFKD_DSP
    int32_t limited;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(limited) : "r"(x));
    return limited;
#else
    const int32_t half = x >> 1;
    return (uint32_t)(half + 128) > 255U ? (half >> 31) ^ 127 : half; /* -128, 127 or itself */
#endif
}

/* The output of an accumulator of channel k of four, |x| < 2^30; `rounding` is
 * 2 * zero_point + 1. */
static inline int8_t requantize(int32_t x, const tfkd_channels *q, int k, int32_t rounding)
{
    if (q->shift[k] < 0) {
        x *= (int32_t)2 << (-1 - q->shift[k]);
        return (int8_t)saturate_half(2 * multiply_high(x, q->multiplier[k]) + rounding);
    }
    return (int8_t)saturate_half(scale_twofold(2 * x, q->multiplier[k], q->shift[k]) + rounding);
}

/* The same where the shift is not negative. */
static inline int8_t requantize_down(int32_t x, const tfkd_channels *q, int k, int32_t rounding)
{
    return (int8_t)saturate_half(scale_twofold(2 * x, q->multiplier[k], q->shift[k]) + rounding);
}

#ifdef TFKD_MVE
static inline int32x4_t scale_twofold_4(int32x4_t x, int32x4_t multiplier, int32x4_t shift)
{
    const int32x4_t high = vrmulhq_s32(x, multiplier);
    return vshlq_s32(vaddq_s32(high, vshrq_n_s32(high, 31)), vnegq_s32(shift));
}

static inline int32x4_t saturate_half_4(int32x4_t x)
{
    const int32x4_t half = vshrq_n_s32(x, 1);
    return vminq_s32(vmaxq_s32(half, vdupq_n_s32(-128)), vdupq_n_s32(127));
}
#endif

static inline void requantize_4(int8_t *out, const int32_t sum[4], const tfkd_channels *q,
                                int32_t rounding)
{
    uint32_t shifts;
    memcpy(&shifts, q->shift, sizeof shifts);
    if (shifts & 0x80808080U) { /* a factor of 1/2 or more: rare */
        out[0] = requantize(sum[0], q, 0, rounding);
        out[1] = requantize(sum[1], q, 1, rounding);
        out[2] = requantize(sum[2], q, 2, rounding);
        out[3] = requantize(sum[3], q, 3, rounding);
        return;
    }
#ifdef TFKD_MVE
    const int32x4_t scaled =
        scale_twofold_4(vshlq_n_s32(vldrwq_s32(sum), 1), vldrwq_s32(q->multiplier),
                        vldrbq_s32(q->shift));
    vstrbq_s32(out, saturate_half_4(vaddq_n_s32(scaled, rounding)));
#else
    out[0] = requantize_down(sum[0], q, 0, rounding);
    out[1] = requantize_down(sum[1], q, 1, rounding);
    out[2] = requantize_down(sum[2], q, 2, rounding);
    out[3] = requantize_down(sum[3], q, 3, rounding);
#endif
}

#ifdef TFKD_DSP
static inline uint32_t load_word(const int8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

/* Bytes 0 and 2 of four, each widened to an int16; odd_bytes: bytes 1 and 3. */
static inline uint32_t even_bytes(uint32_t word)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
}

static inline uint32_t odd_bytes(uint32_t word)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}

/* sum + x . w for four bytes of each. */
static inline int32_t add_4_products(int32_t sum, uint32_t x_even, uint32_t x_odd, uint32_t w)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(x_odd), "r"(odd_bytes(w)));
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(x_even), "r"(even_bytes(w)));
    __asm__("" ::: "memory"); /* the next word is loaded later: registers are scarce */
    return sum;
}
#endif

/* Adds to sum[k] the inner product of x and row k of four rows of weights, each `length` long. */
static inline void dot_4_rows(int32_t sum[4], const int8_t *x, const int8_t *w, int32_t length)
{
    const int8_t *row_2 = w + 2 * length;
    const int8_t *const end = x + length;
#if defined(TFKD_MVE)
    int32_t sum_0 = sum[0], sum_1 = sum[1], sum_2 = sum[2], sum_3 = sum[3];
    for (; end - x >= 16; x += 16, w += 16, row_2 += 16) {
        const int8x16_t bytes = vldrbq_s8(x);
        sum_0 = vmladavaq_s8(sum_0, bytes, vldrbq_s8(w));
        sum_1 = vmladavaq_s8(sum_1, bytes, vldrbq_s8(w + length));
        sum_2 = vmladavaq_s8(sum_2, bytes, vldrbq_s8(row_2));
        sum_3 = vmladavaq_s8(sum_3, bytes, vldrbq_s8(row_2 + length));
    }
    if (x != end) {
        const mve_pred16_t lanes = vctp8q((uint32_t)(end - x));
        const int8x16_t bytes = vldrbq_z_s8(x, lanes); /* zeros behind the end */
        sum_0 = vmladavaq_s8(sum_0, bytes, vldrbq_z_s8(w, lanes));
        sum_1 = vmladavaq_s8(sum_1, bytes, vldrbq_z_s8(w + length, lanes));
        sum_2 = vmladavaq_s8(sum_2, bytes, vldrbq_z_s8(row_2, lanes));
        sum_3 = vmladavaq_s8(sum_3, bytes, vldrbq_z_s8(row_2 + length, lanes));
        x = end;
    }
    sum[0] = sum_0;
    sum[1] = sum_1;
    sum[2] = sum_2;
    sum[3] = sum_3;
#elif defined(TFKD_DSP)
    const int8_t *const words_end = x + (length & ~3);
    while (x != words_end) {
        const uint32_t word = load_word(x);
        const uint32_t even = even_bytes(word);
        const uint32_t odd = odd_bytes(word);
        x += 4;
        sum[1] = add_4_products(sum[1], even, odd, load_word(w + length));
        sum[0] = add_4_products(sum[0], even, odd, load_word(w));
        w += 4;
        sum[3] = add_4_products(sum[3], even, odd, load_word(row_2 + length));
        sum[2] = add_4_products(sum[2], even, odd, load_word(row_2));
        row_2 += 4;
    }
#endif
    for (; x != end; x++) {
        sum[0] += *x * w[0];
        sum[1] += *x * w[length];
        sum[2] += *x * row_2[0];
        sum[3] += *x * row_2[length];
        w++;
        row_2++;
    }
}

/* Adds to sum[k] the products of channel k of `count` taps: those of x are `step` bytes apart, those
 * of w four. Returns where the next weights lie. */
static inline const int8_t *add_taps(int32_t sum[4], const int8_t *x, int32_t step,
                                     const int8_t *w, int32_t count)
{
#ifdef TFKD_MVE
    int32x4_t sums = vldrwq_s32(sum);
    for (; count; count--) {
        sums = vaddq_s32(sums, vmulq_s32(vldrbq_s32(x), vldrbq_s32(w)));
        x += step;
        w += 4;
    }
    vstrwq_s32(sum, sums);
#endif
    for (; count; count--) {
#ifdef TFKD_DSP
        const uint32_t x_word = load_word(x), w_word = load_word(w);
        const uint32_t x_even = even_bytes(x_word), w_even = even_bytes(w_word);
        const uint32_t x_odd = odd_bytes(x_word), w_odd = odd_bytes(w_word);
        __asm__("smlabb %0, %1, %2, %0" : "+r"(sum[0]) : "r"(x_even), "r"(w_even));
        __asm__("smlabb %0, %1, %2, %0" : "+r"(sum[1]) : "r"(x_odd), "r"(w_odd));
        __asm__("smlatt %0, %1, %2, %0" : "+r"(sum[2]) : "r"(x_even), "r"(w_even));
        __asm__("smlatt %0, %1, %2, %0" : "+r"(sum[3]) : "r"(x_odd), "r"(w_odd));
#else
        sum[0] += x[0] * w[0];
        sum[1] += x[1] * w[1];
        sum[2] += x[2] * w[2];
        sum[3] += x[3] * w[3];
#endif
        x += step;
        w += 4;
    }
    return w;
}

#endif /* TFKD_ARITHMETIC_H_ */
