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
#ifdef TFKD_DSP
#define TFKD_INLINE inline __attribute__((always_inline)) /* one copy for each known argument */
#else
#define TFKD_INLINE inline
#endif

/* C99 leaves to the compiler the right shift of a negative number, which must be arithmetic, and
 * what becomes of a number that int8_t lacks: its low byte. */
typedef char tfkd_needs_arithmetic_shift[((-1) >> 1) == -1 ? 1 : -1];
typedef char tfkd_needs_low_byte[(int8_t)0x1FF == -1 ? 1 : -1];

/* What dense layers multiply with weights: the input, which the DSP instructions want widened. */
#if defined(TFKD_DSP) && !defined(TFKD_MVE)
#define TFKD_WIDENED
typedef int16_t operand;
#else
typedef int8_t operand;
#endif

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

#ifdef TFKD_DSP
static inline uint32_t load_word(const int8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

#endif

#ifdef TFKD_WIDENED
/* Widens four bytes to two pairs of int16s, `gap` words apart. */
static inline void widen_4(uint32_t *to, uint32_t bytes, int32_t gap)
{
    uint32_t first, second, even;
    __asm__("sxtb16 %1, %3\n\t"
            "sxtb16 %2, %3, ror #8\n\t"
            "pkhbt %0, %1, %2, lsl #16\n\t"
            "pkhtb %2, %2, %1, asr #16"
            : "=&r"(first), "=&r"(even), "=&r"(second)
            : "r"(bytes));
    to[0] = first;
    to[gap] = second;
}

/* Widens `count` bytes, filled up with zeros to a multiple of eight. */
static inline void widen(uint32_t *to, const int8_t *from, int32_t count, int32_t gap)
{
    for (; count >= 8; count -= 8) {
        widen_4(to, load_word(from), gap);
        widen_4(to + 2 * gap, load_word(from + 4), gap);
        from += 8;
        to += 4 * gap;
    }
    if (count) {
        uint32_t last[2] = {0, 0};
        memcpy(last, from, (size_t)count);
        widen_4(to, last[0], gap);
        widen_4(to + 2 * gap, last[1], gap);
    }
}

/* Multiplies the next four of x with those of four rows, two in one. */
static inline void add_4_by_4(int32_t both[2], int32_t low[2], const operand **x,
                              const int16_t **w, const int16_t **w_2)
{
    uint32_t x_0, x_1, w_0, w_1;
    __asm__("ldrd %[x_0], %[x_1], [%[x]], #8\n\t"
            "ldrd %[w_0], %[w_1], [%[w]], #8\n\t"
            "smlad %[both], %[x_0], %[w_0], %[both]\n\t"
            "sxtb16 %[w_0], %[w_0]\n\t"
            "smlad %[both], %[x_1], %[w_1], %[both]\n\t"
            "sxtb16 %[w_1], %[w_1]\n\t"
            "smlad %[low], %[x_0], %[w_0], %[low]\n\t"
            "smlad %[low], %[x_1], %[w_1], %[low]\n\t"
            "ldrd %[w_0], %[w_1], [%[w_2]], #8\n\t"
            "smlad %[both_2], %[x_0], %[w_0], %[both_2]\n\t"
            "sxtb16 %[w_0], %[w_0]\n\t"
            "smlad %[both_2], %[x_1], %[w_1], %[both_2]\n\t"
            "sxtb16 %[w_1], %[w_1]\n\t"
            "smlad %[low_2], %[x_0], %[w_0], %[low_2]\n\t"
            "smlad %[low_2], %[x_1], %[w_1], %[low_2]"
            : [both] "+r"(both[0]), [low] "+r"(low[0]), [both_2] "+r"(both[1]),
              [low_2] "+r"(low[1]), [x] "+r"(*x), [w] "+r"(*w), [w_2] "+r"(*w_2),
              [x_0] "=&r"(x_0), [x_1] "=&r"(x_1), [w_0] "=&r"(w_0), [w_1] "=&r"(w_1)
            :
            : "memory");
}

/* Multiplies the next four of two positions, whose pairs take turns in x, with those of two rows. */
static inline void add_2_by_2(int32_t both[2], int32_t low[2], const operand **x,
                              const int16_t **w)
{
    uint32_t x_0, x_1, w_0, w_1;
    __asm__("ldrd %[w_0], %[w_1], [%[w]], #8\n\t"
            "ldrd %[x_0], %[x_1], [%[x]], #8\n\t"
            "smlad %[both], %[x_0], %[w_0], %[both]\n\t"
            "smlad %[both_2], %[x_1], %[w_0], %[both_2]\n\t"
            "sxtb16 %[w_0], %[w_0]\n\t"
            "smlad %[low], %[x_0], %[w_0], %[low]\n\t"
            "smlad %[low_2], %[x_1], %[w_0], %[low_2]\n\t"
            "ldrd %[x_0], %[x_1], [%[x]], #8\n\t"
            "smlad %[both], %[x_0], %[w_1], %[both]\n\t"
            "smlad %[both_2], %[x_1], %[w_1], %[both_2]\n\t"
            "sxtb16 %[w_1], %[w_1]\n\t"
            "smlad %[low], %[x_0], %[w_1], %[low]\n\t"
            "smlad %[low_2], %[x_1], %[w_1], %[low_2]"
            : [both] "+r"(both[0]), [low] "+r"(low[0]), [both_2] "+r"(both[1]),
              [low_2] "+r"(low[1]), [x] "+r"(*x), [w] "+r"(*w), [x_0] "=&r"(x_0),
              [x_1] "=&r"(x_1), [w_0] "=&r"(w_0), [w_1] "=&r"(w_1)
            :
            : "memory");
}

/* sum[p][k] = bias[k] + the inner product of position p of two in x and row k of two of weights. */
static inline const int16_t *dot_2_by_2(int32_t sum[2][2], const int32_t bias[2],
                                        const operand *x, const int16_t *w, int32_t row_length)
{
    const int16_t *const end = w + row_length;
    int32_t low[2] = {bias[0], bias[0]}, both[2] = {bias[0], bias[0]};
    do {
        add_2_by_2(both, low, &x, &w);
        add_2_by_2(both, low, &x, &w);
    } while (w != end);
    sum[0][0] = low[0];
    sum[0][1] = bias[1] + ((both[0] - low[0]) >> 8);
    sum[1][0] = low[1];
    sum[1][1] = bias[1] + ((both[1] - low[1]) >> 8);
    return end;
}
#endif

#ifdef TFKD_MVE
/* Multiplies eight of x with those of four rows, two in one. */
static inline void add_8_by_4(int32_t both[2], int32_t low[2], int16x8_t x, const int16_t *w,
                              const int16_t *w_2)
{
    /* The low bytes alone, so that of the weights, too, the low bytes count. */
    const int8x16_t bytes = vreinterpretq_s8_s16(vbicq_n_s16(x, 0xFF00));
    const int16x8_t pairs = vldrhq_s16(w), pairs_2 = vldrhq_s16(w_2);
    both[0] = vmladavaq_s16(both[0], x, pairs);
    low[0] = vmladavaq_s8(low[0], bytes, vreinterpretq_s8_s16(pairs));
    both[1] = vmladavaq_s16(both[1], x, pairs_2);
    low[1] = vmladavaq_s8(low[1], bytes, vreinterpretq_s8_s16(pairs_2));
}
#endif

/* sum[k] = bias[k] + the inner product of x and row k of four rows of weights, two in one: see
 * tfkd_convolution. `length` values are in x, `row_length` in a row. Returns where the next weights
 * lie. */
static inline const int16_t *dot_4_rows(int32_t sum[4], const int32_t bias[4], const operand *x,
                                        int32_t length, const int16_t *w, int32_t row_length)
{
    const int16_t *const next = w + 2 * row_length;
    const int16_t *w_2 = w + row_length;
    /* Of the lower row of each two, and of 256 times the upper row and the lower row. */
    int32_t low[2] = {bias[0], bias[2]}, both[2] = {bias[0], bias[2]};
#if defined(TFKD_MVE)
    (void)row_length;
    for (; length >= 8; length -= 8, x += 8, w += 8, w_2 += 8) {
        add_8_by_4(both, low, vldrbq_s16(x), w, w_2);
    }
    if (length) { /* zeros behind the end */
        add_8_by_4(both, low, vldrbq_z_s16(x, vctp16q((uint32_t)length)), w, w_2);
    }
#elif defined(TFKD_WIDENED)
    const int16_t *const end = w_2;
    (void)length; /* behind it lie zeros */
    do {
        add_4_by_4(both, low, &x, &w, &w_2);
        add_4_by_4(both, low, &x, &w, &w_2);
    } while (w != end);
#else
    for (; length; length--, x++, w++, w_2++) {
        both[0] += *x * *w;
        low[0] += *x * (int8_t)*w;
        both[1] += *x * *w_2;
        low[1] += *x * (int8_t)*w_2;
    }
#endif
    sum[0] = low[0];
    sum[1] = bias[1] + ((both[0] - low[0]) >> 8);
    sum[2] = low[1];
    sum[3] = bias[3] + ((both[1] - low[1]) >> 8);
    return next;
}

#ifdef TFKD_DSP
/* Multiplies the four bytes at `address`, in the syntax of assembly, with the next four weights. */
#define TFKD_ADD_TAP(address)                                                                      \
    "ldr %[odd], " address "\n\t"                                                                  \
    "ldrd %[w_01], %[w_23], [%[w]], #8\n\t"                                                        \
    "sxtb16 %[even], %[odd]\n\t"                                                                   \
    "sxtb16 %[odd], %[odd], ror #8\n\t"                                                            \
    "smlabb %[sum_0], %[even], %[w_01], %[sum_0]\n\t"                                              \
    "smlabt %[sum_1], %[odd], %[w_01], %[sum_1]\n\t"                                               \
    "smlatb %[sum_2], %[even], %[w_23], %[sum_2]\n\t"                                              \
    "smlatt %[sum_3], %[odd], %[w_23], %[sum_3]\n\t"
#define TFKD_TAP_OPERANDS                                                                          \
    [sum_0] "+r"(sum[0]), [sum_1] "+r"(sum[1]), [sum_2] "+r"(sum[2]), [sum_3] "+r"(sum[3]),        \
        [w] "+r"(w), [odd] "=&r"(odd), [even] "=&r"(even), [w_01] "=&r"(w_01), [w_23] "=&r"(w_23)
#endif

/* Adds to sum[k] the products of channel k of `count` taps: those of x are `step` bytes apart, those
 * of w four values. Returns where the next weights lie. */
static inline const int16_t *add_taps(int32_t sum[4], const int8_t *x, int32_t step,
                                      const int16_t *w, int32_t count)
{
#if defined(TFKD_MVE)
    int32x4_t sums = vldrwq_s32(sum);
    for (; count; count--) {
        sums = vaddq_s32(sums, vmulq_s32(vldrbq_s32(x), vldrhq_s32(w)));
        x += step;
        w += 4;
    }
    vstrwq_s32(sum, sums);
#elif defined(TFKD_DSP)
    uint32_t odd, even, w_01, w_23;
    for (; count >= 3; count -= 3) {
        __asm__(TFKD_ADD_TAP("[%[x]]") TFKD_ADD_TAP("[%[x], %[step]]")
                    TFKD_ADD_TAP("[%[x], %[step], lsl #1]")
                : TFKD_TAP_OPERANDS
                : [x] "r"(x), [step] "r"(step)
                : "memory");
        x += 3 * step;
    }
    for (; count; count--) {
        __asm__(TFKD_ADD_TAP("[%[x]]") : TFKD_TAP_OPERANDS : [x] "r"(x) : "memory");
        x += step;
    }
#else
    for (; count; count--) {
        sum[0] += x[0] * w[0];
        sum[1] += x[1] * w[1];
        sum[2] += x[2] * w[2];
        sum[3] += x[3] * w[3];
        x += step;
        w += 4;
    }
#endif
    return w;
}

#endif /* TFKD_ARITHMETIC_H_ */
