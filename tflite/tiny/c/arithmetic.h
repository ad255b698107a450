/* SPDX-License-Identifier: Apache-2.0, of tfkd */
/* From accumulators to outputs: the rounding of the kernels, in plain C99, with Armv7E-M's DSP
 * instructions (Cortex-M4, M7, M33) or with Helium (MVE: Cortex-M55, M85). All give the same bits.
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
#ifdef TFKD_DSP
#define TFKD_INLINE inline __attribute__((always_inline)) /* one copy for each known argument */
#else
#define TFKD_INLINE inline
#endif

/* C99 leaves to the compiler the right shift of a negative number, which must be arithmetic, and
 * what becomes of a number that int8_t lacks: its low byte. */
typedef char tfkd_needs_arithmetic_shift[((-1) >> 1) == -1 ? 1 : -1];
typedef char tfkd_needs_low_byte[(int8_t)0x1FF == -1 ? 1 : -1];

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

/* x * multiplier * 2^(-32 - shift) + rounding * 2^-shift, its last bit still to be shifted off.
 *
 * TensorFlow Lite rounds x / 2 * multiplier / 2^31, then again, to nearest with ties away from 0:
 * with high = multiply_high(x, multiplier) that is (high + (high >> 31) + 2^shift) >> (shift + 1).
 * The sign of x does for that of high, for they differ only where high and the result are 0. With
 * the zero point, rounding is (2 * zero_point + 1) << shift. */
static inline int32_t scale_twofold(int32_t x, int32_t multiplier, int32_t rounding,
                                    uint32_t shift)
{
#ifdef TFKD_DSP
    int32_t scaled;
    __asm__("add %0, %3, %1, asr #31\n\t"
            "smmlar %0, %1, %2, %0\n\t"
            "asr %0, %0, %4" /* by the lowest byte */
            : "=&r"(scaled)
            : "r"(x), "r"(multiplier), "r"(rounding), "r"(shift));
    return scaled;
#else
    return (multiply_high(x, multiplier) + (rounding + (x >> 31))) >> (shift & 31);
#endif
}

/* x, limited to the range of int8. */
static inline int8_t saturate(int32_t x)
{
#ifdef TFKD_DSP
    int32_t limited;
    __asm__("ssat %0, #8, %1" : "=r"(limited) : "r"(x));
    return (int8_t)limited;
#else
    return (int8_t)((uint32_t)(x + 128) > 255U ? (x >> 31) ^ 127 : x); /* -128, 127 or itself */
#endif
}

/* x / 2, rounded down and limited to the range of int8. */
static inline int8_t saturate_half(int32_t x)
{
#ifdef TFKD_DSP
    int32_t limited;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(limited) : "r"(x));
    return (int8_t)limited;
#else
    return saturate(x >> 1);
#endif
}

/* The output of an accumulator with one rounding. */
static inline int8_t requantize_once(int32_t x, tfkd_factor factor, int32_t shift)
{
#ifdef TFKD_DSP
    int32_t scaled;
    __asm__("smmla %0, %1, %2, %3"
            : "=r"(scaled)
            : "r"(x), "r"(factor.multiplier), "r"(factor.rounding));
#else
    const int32_t scaled = (int32_t)(((int64_t)x * factor.multiplier) >> 32) + factor.rounding;
#endif
    return saturate(scaled >> shift);
}

/* The output of an accumulator, |x| < 2^30, where the shift, the lowest byte of `shifts`, is not
 * negative. */
static inline int8_t requantize_twice(int32_t x, tfkd_factor factor, uint32_t shifts)
{
    return saturate_half(scale_twofold(2 * x, factor.multiplier, factor.rounding, shifts));
}

/* The output of an accumulator of channel k of four, whatever its factor. */
static inline int8_t requantize(int32_t x, const tfkd_channels *q, int k, int once)
{
    const tfkd_factor factor = q->factor[k];
    if (once) {
        return requantize_once(x, factor, q->shift[k]);
    }
    if (q->shift[k] < 0) {
        x *= (int32_t)2 << (-1 - q->shift[k]);
        return saturate_half(2 * multiply_high(x, factor.multiplier) + factor.rounding);
    }
    return requantize_twice(x, factor, (uint32_t)q->shift[k]);
}

#ifdef TFKD_MVE
static inline int32x4_t scale_twofold_4(int32x4_t x, int32x4_t multiplier, int32x4_t rounding,
                                        int32x4_t shift)
{
    const int32x4_t high = vrmulhq_s32(x, multiplier);
    return vshlq_s32(vaddq_s32(high, vaddq_s32(rounding, vshrq_n_s32(x, 31))), vnegq_s32(shift));
}

static inline int32x4_t saturate_4(int32x4_t x)
{
    return vminq_s32(vmaxq_s32(x, vdupq_n_s32(-128)), vdupq_n_s32(127));
}
#endif

/* Four outputs of a layer whose shifts are not negative. */
static TFKD_INLINE void requantize_4(int8_t *out, const int32_t sum[4], const tfkd_channels *q,
                                     int once)
{
#ifdef TFKD_MVE
    const int32x4x2_t factors = vld2q_s32(&q->factor[0].multiplier);
    const int32x4_t x = vldrwq_s32(sum), shift = vldrbq_s32(q->shift);
    if (once) {
        const int32x4_t scaled = vaddq_s32(vmulhq_s32(x, factors.val[0]), factors.val[1]);
        vstrbq_s32(out, saturate_4(vshlq_s32(scaled, vnegq_s32(shift))));
    } else {
        const int32x4_t scaled =
            scale_twofold_4(vshlq_n_s32(x, 1), factors.val[0], factors.val[1], shift);
        vstrbq_s32(out, saturate_4(vshrq_n_s32(scaled, 1)));
    }
#else
    if (once) {
        const int32_t shift = q->shift[0];
        out[0] = requantize_once(sum[0], q->factor[0], shift);
        out[1] = requantize_once(sum[1], q->factor[1], shift);
        out[2] = requantize_once(sum[2], q->factor[2], shift);
        out[3] = requantize_once(sum[3], q->factor[3], shift);
    } else {
        uint32_t shifts;
        memcpy(&shifts, q->shift, sizeof shifts);
        out[0] = requantize_twice(sum[0], q->factor[0], shifts);
        out[1] = requantize_twice(sum[1], q->factor[1], shifts >> 8);
        out[2] = requantize_twice(sum[2], q->factor[2], shifts >> 16);
        out[3] = requantize_twice(sum[3], q->factor[3], shifts >> 24);
    }
#endif
}

/* Output k of four for two positions, `apart` bytes; the first one is written last. */
static TFKD_INLINE void requantize_2(int8_t *out, int32_t apart, const int32_t sum[8], int k,
                                     tfkd_factor factor, int32_t shift, int once)
{
    if (once) {
        out[apart + k] = requantize_once(sum[4 + k], factor, shift);
        out[k] = requantize_once(sum[k], factor, shift);
    } else {
        out[apart + k] = requantize_twice(sum[4 + k], factor, (uint32_t)shift);
        out[k] = requantize_twice(sum[k], factor, (uint32_t)shift);
    }
}

/* The same for all four; sum: those of the first position, then those of the second one. */
static TFKD_INLINE void requantize_2_by_4(int8_t *out, int32_t apart, const int32_t sum[8],
                                          const tfkd_channels *q, int once)
{
    const int32_t shift = q->shift[0];
    requantize_2(out, apart, sum, 0, q->factor[0], shift, once);
    requantize_2(out, apart, sum, 1, q->factor[1], once ? shift : q->shift[1], once);
    requantize_2(out, apart, sum, 2, q->factor[2], once ? shift : q->shift[2], once);
    requantize_2(out, apart, sum, 3, q->factor[3], once ? shift : q->shift[3], once);
}

#endif /* TFKD_ARITHMETIC_H_ */
