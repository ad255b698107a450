/* Integer kernels of a streaming int8 model; every one computes the bits of TensorFlow Lite Micro.
 *
 * Tensors are int8, NHWC with N = 1, densely packed. real = scale * (q - zero_point).
 * C99, no allocation, no floating point; of the C library, memcpy and memset alone.
 */
#ifndef TFKD_KERNELS_H_
#define TFKD_KERNELS_H_

#include <stddef.h>
#include <stdint.h>

/* What four neighbouring output channels of a convolution have of their own. The bias has the
 * input's zero point folded in: b - in_zero_point * (sum of the channel's weights). An accumulator
 * becomes an output by the factor multiplier * 2^(-32 - shift), rounded as TensorFlow Lite's
 * MultiplyByQuantizedMultiplier rounds. */
typedef struct {
    int32_t bias[4];
    int32_t multiplier[4];
    int8_t shift[4];
} tfkd_channels;

/* CONV_2D or DEPTHWISE_CONV_2D. Outside the input lies its zero point. */
typedef struct {
    /* [out_channels][filter_height][filter_width][in_channels]; depthwise:
     * [out_channels / 4, rounded up][filter_height][filter_width][4] */
    const int8_t *weights;
    const tfkd_channels *channels; /* [out_channels / 4, rounded up] */
    int16_t in_height, in_width, in_channels;
    int16_t out_height, out_width, out_channels;
    int16_t filter_height, filter_width;
    int16_t stride_height, stride_width;
    int16_t dilation_height, dilation_width;
    int16_t pad_top, pad_left;
    int16_t in_zero_point, out_zero_point;
} tfkd_convolution;

/* An addition a + b. The scale of a is the larger one, so that TensorFlow Lite's factor for it is
 * exactly 1/2 and a counts 2^19, doubled here. b's distance from its zero point is shifted left by
 * b_left and multiplied by b_multiplier * 2^(-32 - b_shift); the sum by
 * multiplier * 2^(-32 - shift). */
typedef struct {
    int32_t b_multiplier, multiplier;
    int16_t a_zero_point, b_zero_point, out_zero_point;
    int8_t b_left, b_shift, shift;
} tfkd_addition;

/* A copy of a box of up to four axes, outermost first; strides in elements. */
typedef struct {
    int32_t size[4];
    int32_t in_stride[4];
    int32_t out_stride[4];
} tfkd_box;

/* CONV_2D. `patch` holds one filter window (filter_height * filter_width * in_channels bytes) of
 * positions whose window is not one piece of the input; NULL where there is none. */
void tfkd_conv_2d(int8_t *out, const int8_t *in, int8_t *patch, const tfkd_convolution *conv);

/* DEPTHWISE_CONV_2D; `patch` as above. */
void tfkd_depthwise_conv_2d(int8_t *out, const int8_t *in, int8_t *patch,
                            const tfkd_convolution *conv);

/* A fused activation: limits values to low .. high in place. */
void tfkd_clamp(int8_t *values, int32_t size, int8_t low, int8_t high);

/* ADD of two tensors of the same size; `out` may be one of them. */
void tfkd_add(int8_t *out, const int8_t *a, const int8_t *b, int32_t size,
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
