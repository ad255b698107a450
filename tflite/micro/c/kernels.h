/* SPDX-License-Identifier: Apache-2.0, of tfkd */
/* Integer kernels of a streaming int8 model; every one computes the bits of TensorFlow Lite Micro.
 *
 * Tensors are int8, NHWC with N = 1, densely packed. real = scale * (q - zero_point).
 * C99, no allocation, no floating point; of the C library, memcpy and memset alone.
 */
#ifndef TFKD_KERNELS_H_
#define TFKD_KERNELS_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#define TFKD_ALIGNED __attribute__((aligned(4))) /* weights, for loads of two words */
#else
#define TFKD_ALIGNED
#endif

/* How an accumulator x becomes an output: see tfkd_convolution. */
typedef struct {
    int32_t multiplier, rounding;
} tfkd_factor;

/* What four neighbouring output channels of a convolution have of their own. */
typedef struct {
    int32_t bias[4]; /* with the input's zero point: b - in_zero_point * (sum of the weights) */
    tfkd_factor factor[4];
    int8_t shift[4];
} tfkd_channels;

/* CONV_2D or DEPTHWISE_CONV_2D. Outside the input lies its zero point.
 *
 * The first `by_fours` channels are computed by fours: all that make up fours where no shift is
 * negative. In a CONV_2D of one output position, which takes every weight once, they are `paired`:
 * a weight holds two, 256 * (that of an odd channel) + (that of the channel before it). With x[i]
 * the input and w[i] the weights of two channels, the results are
 *
 *     low = sum of x[i] * (int8_t)w[i]    and    (sum of x[i] * w[i] - low) / 256,
 *
 * and one of each two need not be unpacked. Where weights are taken more often, they are int16 each
 * and four rows take turns: two weights of one row, two of the next.
 *
 * TensorFlow Lite's MultiplyByQuantizedMultiplier rounds twice, the second time away from zero.
 * With `rounds_once` one rounding has been found to give the same outputs, as it does after a ReLU:
 *
 *     output = (floor(x * multiplier / 2^32) + rounding) >> shift, saturated,
 *
 * where `shift` is that of all channels and the bias holds what the rounding lacks; channels whose
 * factor is 1/2 or more have weights and bias times a power of two instead. Else the factor
 * is multiplier * 2^(-32 - shift), applied as scale_twofold in arithmetic.h says, and `rounding` is
 * (2 * out_zero_point + 1) << shift (or << 0, where the shift is negative). */
typedef struct {
    /* CONV_2D, where a row is filter_height * filter_width * in_channels long, rounded up to a
     * multiple of eight: [by_fours / 4][row / 2][4][2] or, paired, [by_fours / 2][row], and behind
     * it [out_channels - by_fours][row].
     * DEPTHWISE_CONV_2D: [out_channels / 4, rounded up][filter_height][filter_width][4]. */
    const int16_t *weights;
    const tfkd_channels *channels; /* [out_channels / 4, rounded up] */
    int16_t in_height, in_width, in_channels;
    int16_t out_height, out_width, out_channels;
    int16_t filter_height, filter_width;
    int16_t stride_height, stride_width;
    int16_t dilation_height, dilation_width;
    int16_t pad_top, pad_left;
    int16_t in_zero_point;
    int16_t by_fours; /* a multiple of four */
    int16_t paired, rounds_once;
} tfkd_convolution;

/* An addition: (a * multiplier + from_b[128 + b]) >> shift, saturated. What every b adds is tabled,
 * scales, zero points and roundings together; the exporter has checked all pairs. Where no such
 * numbers exist, tfkd_add_rounding_twice takes others: the scale of a is the larger one, so that
 * TensorFlow Lite's factor for it is exactly 1/2 and a counts 2^19, doubled here as is what b adds.
 * The sum becomes an output by multiplier * 2^(-32 - shift). */
typedef struct {
    const int32_t *from_b; /* [256] */
    int32_t multiplier, shift;
    int32_t rounding; /* (2 * out_zero_point + 1) << shift, where it rounds twice */
} tfkd_addition;

/* A copy of a box of up to four axes, outermost first; strides in elements. */
typedef struct {
    int32_t size[4];
    int32_t in_stride[4];
    int32_t out_stride[4];
} tfkd_box;

/* CONV_2D. `patch`, aligned to 4 bytes, has room for five bytes for every value of a row: there two
 * filter windows are widened, and one put together where it is not one piece of the input. */
void tfkd_conv_2d(int8_t *out, const int8_t *in, void *patch, const tfkd_convolution *conv);

/* DEPTHWISE_CONV_2D. `patch` has room for the bytes of one filter window where one reaches out of
 * the input, and is NULL otherwise. */
void tfkd_depthwise_conv_2d(int8_t *out, const int8_t *in, int8_t *patch,
                            const tfkd_convolution *conv);

/* A fused activation: limits values to low .. high in place. */
void tfkd_clamp(int8_t *values, int32_t size, int8_t low, int8_t high);

/* ADD of two tensors of the same size; `out` may be one of them. */
void tfkd_add(int8_t *out, const int8_t *a, const int8_t *b, int32_t size,
              const tfkd_addition *addition);
void tfkd_add_rounding_twice(int8_t *out, const int8_t *a, const int8_t *b, int32_t size,
                             const tfkd_addition *addition);

/* A function of one value, as a table of its results for -128 .. 127; `out` may be `in`. */
void tfkd_lookup(int8_t *out, const int8_t *in, int32_t size, const int8_t table[256]);

/* Copies a box of elements: CONCATENATION, STRIDED_SLICE, the inside of PAD. */
void tfkd_copy_box(int8_t *out, const int8_t *in, const tfkd_box *box);

/* Gathers pixels of `channels` values each: RESIZE_NEAREST_NEIGHBOR. */
void tfkd_gather(int8_t *out, const int8_t *in, const uint16_t *pixels, int32_t count,
                 int32_t channels);

/* Moves the last `size` bytes of a history of `size + step` bytes to its front. */
void tfkd_shift(int8_t *history, size_t size, size_t step);

#endif /* TFKD_KERNELS_H_ */
