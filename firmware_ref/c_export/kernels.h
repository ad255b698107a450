/* Integer kernels of a streaming int8 model; every one computes the bits of TensorFlow Lite Micro.
 *
 * Tensors are int8, NHWC with N = 1, densely packed. real = scale * (q - zero_point).
 * C99, no allocation, no floating point; of the C library, memcpy and memset alone.
 */
#ifndef TFKD_KERNELS_H_
#define TFKD_KERNELS_H_

#include <stddef.h>
#include <stdint.h>

/* Requantisation of one output channel: real factor = multiplier * 2^(shift - 31). */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} tfkd_factor;

/* Geometry and output range of a convolution. Outside the input lies `in_zero_point`. */
typedef struct {
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, out_channels;
    int32_t filter_height, filter_width;
    int32_t stride_height, stride_width;
    int32_t dilation_height, dilation_width;
    int32_t pad_top, pad_left;
    int32_t in_zero_point, out_zero_point;
    int32_t low, high;
} tfkd_window;

/* Scales of an addition; both inputs are shifted left by 20 bits first. */
typedef struct {
    int32_t zero_point_1, zero_point_2, out_zero_point;
    tfkd_factor factor_1, factor_2, out_factor;
    int32_t low, high;
} tfkd_sum;

/* A copy of a box of up to four axes, outermost first; strides in elements. */
typedef struct {
    int32_t size[4];
    int32_t in_stride[4];
    int32_t out_stride[4];
} tfkd_box;

/* CONV_2D. weights: [out_channels][filter_height][filter_width][in_channels];
 * bias: [out_channels], with the input's zero point folded in: b - z_x * sum(w). */
void tfkd_conv_2d(int8_t *out, const int8_t *in, const int8_t *weights, const int32_t *bias,
                  const tfkd_factor *factors, const tfkd_window *window);

/* DEPTHWISE_CONV_2D. weights: [filter_height][filter_width][out_channels]; bias as above. */
void tfkd_depthwise_conv_2d(int8_t *out, const int8_t *in, const int8_t *weights,
                            const int32_t *bias, const tfkd_factor *factors,
                            const tfkd_window *window);

/* ADD of two tensors of the same size; `out` may be one of them. */
void tfkd_add(int8_t *out, const int8_t *in_1, const int8_t *in_2, int32_t size,
              const tfkd_sum *sum);

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
