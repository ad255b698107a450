/* SPDX-License-Identifier: Apache-2.0, of tfkd */
/* From inputs and weights to accumulators: the inner products of convolutions.c, on the targets of
 * arithmetic.h. */
#ifndef TFKD_INNER_PRODUCTS_H_
#define TFKD_INNER_PRODUCTS_H_

#include <stdint.h>
#include <string.h>

#include "arithmetic.h"

/* What dense layers multiply with weights: the input, which the DSP instructions want widened. */
#if defined(TFKD_DSP) && !defined(TFKD_MVE)
#define TFKD_WIDENED
typedef int16_t operand;
#else
typedef int8_t operand;
#endif

#ifdef TFKD_WIDENED
static inline uint32_t load_word(const int8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

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

/* Multiplies the next two of two positions, which take turns in x, with those of four rows, which
 * take turns in w. sum: four of the first position, four of the second one. */
static inline void add_2_by_4(int32_t sum[8], const operand **x, const int16_t **w)
{
    uint32_t x_0, x_1, w_0, w_1;
    __asm__("ldrd %[x_0], %[x_1], [%[x]], #8\n\t"
            "ldrd %[w_0], %[w_1], [%[w]], #8\n\t"
            "smlad %[a_0], %[x_0], %[w_0], %[a_0]\n\t"
            "smlad %[a_1], %[x_0], %[w_1], %[a_1]\n\t"
            "smlad %[b_0], %[x_1], %[w_0], %[b_0]\n\t"
            "smlad %[b_1], %[x_1], %[w_1], %[b_1]"
            : [a_0] "+r"(sum[0]), [a_1] "+r"(sum[1]), [b_0] "+r"(sum[4]), [b_1] "+r"(sum[5]),
              [x] "+r"(*x), [w] "+r"(*w), [x_0] "=&r"(x_0), [x_1] "=&r"(x_1), [w_0] "=&r"(w_0),
              [w_1] "=&r"(w_1)
            :
            : "memory");
    __asm__("ldrd %[w_0], %[w_1], [%[w]], #8\n\t"
            "smlad %[a_2], %[x_0], %[w_0], %[a_2]\n\t"
            "smlad %[a_3], %[x_0], %[w_1], %[a_3]\n\t"
            "smlad %[b_2], %[x_1], %[w_0], %[b_2]\n\t"
            "smlad %[b_3], %[x_1], %[w_1], %[b_3]"
            : [a_2] "+r"(sum[2]), [a_3] "+r"(sum[3]), [b_2] "+r"(sum[6]), [b_3] "+r"(sum[7]),
              [w] "+r"(*w), [w_0] "=&r"(w_0), [w_1] "=&r"(w_1)
            : [x_0] "r"(x_0), [x_1] "r"(x_1)
            : "memory");
}

/* sum[4 p + k] = bias[k] + the inner product of position p of two in x and row k of four. Returns
 * where the next weights lie. */
static inline const int16_t *dot_2_by_4(int32_t sum[8], const int32_t bias[4], const operand *x,
                                        const int16_t *w, int32_t row_length)
{
    const int16_t *const end = w + 4 * row_length;
    sum[0] = sum[4] = bias[0];
    sum[1] = sum[5] = bias[1];
    sum[2] = sum[6] = bias[2];
    sum[3] = sum[7] = bias[3];
    do {
        add_2_by_4(sum, &x, &w);
        add_2_by_4(sum, &x, &w);
        add_2_by_4(sum, &x, &w);
        add_2_by_4(sum, &x, &w);
    } while (w != end);
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
static inline const int16_t *dot_4_paired_rows(int32_t sum[4], const int32_t bias[4],
                                               const operand *x, int32_t length,
                                               const int16_t *w, int32_t row_length)
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

#ifndef TFKD_WIDENED
/* The same for four rows that take turns after every two weights. */
static inline const int16_t *dot_4_rows(int32_t sum[4], const int32_t bias[4], const operand *x,
                                        int32_t length, const int16_t *w, int32_t row_length)
{
    const int16_t *const next = w + 4 * row_length;
    int32_t a = bias[0], b = bias[1], c = bias[2], d = bias[3];
#ifdef TFKD_MVE
    for (; length > 0; length -= 8, x += 8, w += 32) { /* zeros behind the end */
        const int16x8_t values = vldrbq_z_s16(x, vctp16q((uint32_t)length));
        const int32x4x4_t rows = vld4q_s32((const int32_t *)(const void *)w);
        a = vmladavaq_s16(a, values, vreinterpretq_s16_s32(rows.val[0]));
        b = vmladavaq_s16(b, values, vreinterpretq_s16_s32(rows.val[1]));
        c = vmladavaq_s16(c, values, vreinterpretq_s16_s32(rows.val[2]));
        d = vmladavaq_s16(d, values, vreinterpretq_s16_s32(rows.val[3]));
    }
#else
    for (; length >= 2; length -= 2, x += 2, w += 8) {
        a += x[0] * w[0] + x[1] * w[1];
        b += x[0] * w[2] + x[1] * w[3];
        c += x[0] * w[4] + x[1] * w[5];
        d += x[0] * w[6] + x[1] * w[7];
    }
    if (length) {
        a += *x * w[0];
        b += *x * w[2];
        c += *x * w[4];
        d += *x * w[6];
    }
#endif
    sum[0] = a;
    sum[1] = b;
    sum[2] = c;
    sum[3] = d;
    return next;
}
#endif

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

/* Adds to sum[k] the products of channel k of `count` taps: those of x are `step` bytes apart,
 * those of w four values. Returns where the next weights lie. */
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

#endif /* TFKD_INNER_PRODUCTS_H_ */
