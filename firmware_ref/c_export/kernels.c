/* See kernels.h. Sources of the arithmetic: TensorFlow Lite's reference kernels
 * (tensorflow/lite/kernels/internal/reference/integer_ops/conv.h, depthwise_conv.h, ../add.h) and
 * MultiplyByQuantizedMultiplier with double rounding (tensorflow/lite/kernels/internal/common.cc).
 */
#include "kernels.h"

#include <string.h>

/* C99 leaves the right shift of a negative number to the compiler; this one must be arithmetic. */
typedef char tfkd_needs_arithmetic_shift[((-1) >> 1) == -1 ? 1 : -1];

/* x * multiplier * 2^(shift - 31): rounded to nearest with ties up, then with ties away from 0.
 * multiplier is 0 or in [2^30, 2^31), so the high half of the product never saturates. */
static int32_t scale(int32_t x, tfkd_factor factor)
{
    const int32_t left = factor.shift > 0 ? factor.shift : 0;
    const int32_t right = factor.shift > 0 ? 0 : -factor.shift;
    const int32_t shifted = (int32_t)((uint32_t)x << left);
    const int64_t product = (int64_t)shifted * factor.multiplier;
    const int32_t high = (int32_t)((product + ((int64_t)1 << 30)) >> 31);
    const int32_t mask = (int32_t)(((uint32_t)1 << right) - 1U);
    const int32_t remainder = high & mask;
    const int32_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);
    return (high >> right) + (remainder > threshold ? 1 : 0);
}

static int8_t clamp(int32_t x, int32_t low, int32_t high)
{
    return (int8_t)(x < low ? low : x > high ? high : x);
}

void tfkd_conv_2d(int8_t *out, const int8_t *in, const int8_t *weights, const int32_t *bias,
                  const tfkd_factor *factors, const tfkd_window *window)
{
    const tfkd_window w = *window;
    for (int32_t row = 0; row < w.out_height; row++) {
        for (int32_t column = 0; column < w.out_width; column++) {
            const int8_t *tap = weights;
            for (int32_t channel = 0; channel < w.out_channels; channel++) {
                int32_t sum = bias[channel];
                for (int32_t i = 0; i < w.filter_height; i++) {
                    const int32_t y = row * w.stride_height - w.pad_top + i * w.dilation_height;
                    for (int32_t j = 0; j < w.filter_width; j++) {
                        const int32_t x =
                            column * w.stride_width - w.pad_left + j * w.dilation_width;
                        if (y >= 0 && y < w.in_height && x >= 0 && x < w.in_width) {
                            const int8_t *pixel = in + (y * w.in_width + x) * w.in_channels;
                            for (int32_t depth = 0; depth < w.in_channels; depth++) {
                                sum += pixel[depth] * tap[depth];
                            }
                        } else {
                            for (int32_t depth = 0; depth < w.in_channels; depth++) {
                                sum += w.in_zero_point * tap[depth];
                            }
                        }
                        tap += w.in_channels;
                    }
                }
                *out++ = clamp(scale(sum, factors[channel]) + w.out_zero_point, w.low, w.high);
            }
        }
    }
}

void tfkd_depthwise_conv_2d(int8_t *out, const int8_t *in, const int8_t *weights,
                            const int32_t *bias, const tfkd_factor *factors,
                            const tfkd_window *window)
{
    const tfkd_window w = *window;
    const int32_t per_input = w.out_channels / w.in_channels;
    for (int32_t row = 0; row < w.out_height; row++) {
        for (int32_t column = 0; column < w.out_width; column++) {
            for (int32_t channel = 0; channel < w.out_channels; channel++) {
                const int8_t *tap = weights + channel;
                const int8_t *plane = in + channel / per_input;
                int32_t sum = bias[channel];
                for (int32_t i = 0; i < w.filter_height; i++) {
                    const int32_t y = row * w.stride_height - w.pad_top + i * w.dilation_height;
                    for (int32_t j = 0; j < w.filter_width; j++) {
                        const int32_t x =
                            column * w.stride_width - w.pad_left + j * w.dilation_width;
                        const int inside = y >= 0 && y < w.in_height && x >= 0 && x < w.in_width;
                        const int32_t value = inside
                                                  ? plane[(y * w.in_width + x) * w.in_channels]
                                                  : w.in_zero_point;
                        sum += value * *tap;
                        tap += w.out_channels;
                    }
                }
                *out++ = clamp(scale(sum, factors[channel]) + w.out_zero_point, w.low, w.high);
            }
        }
    }
}

void tfkd_add(int8_t *out, const int8_t *in_1, const int8_t *in_2, int32_t size,
              const tfkd_sum *sum)
{
    for (int32_t i = 0; i < size; i++) {
        const int32_t first = scale((in_1[i] - sum->zero_point_1) * (1 << 20), sum->factor_1);
        const int32_t second = scale((in_2[i] - sum->zero_point_2) * (1 << 20), sum->factor_2);
        const int32_t total = scale(first + second, sum->out_factor) + sum->out_zero_point;
        out[i] = clamp(total, sum->low, sum->high);
    }
}

void tfkd_lookup(int8_t *out, const int8_t *in, int32_t size, const int8_t table[256])
{
    for (int32_t i = 0; i < size; i++) {
        out[i] = table[in[i] + 128];
    }
}

void tfkd_copy_box(int8_t *out, const int8_t *in, const tfkd_box *box)
{
    const tfkd_box b = *box;
    for (int32_t i = 0; i < b.size[0]; i++) {
        for (int32_t j = 0; j < b.size[1]; j++) {
            for (int32_t k = 0; k < b.size[2]; k++) {
                const int8_t *from =
                    in + i * b.in_stride[0] + j * b.in_stride[1] + k * b.in_stride[2];
                int8_t *to = out + i * b.out_stride[0] + j * b.out_stride[1] + k * b.out_stride[2];
                for (int32_t l = 0; l < b.size[3]; l++) {
                    to[l * b.out_stride[3]] = from[l * b.in_stride[3]];
                }
            }
        }
    }
}

void tfkd_gather(int8_t *out, const int8_t *in, const uint16_t *pixels, int32_t count,
                 int32_t channels)
{
    for (int32_t i = 0; i < count; i++) {
        memcpy(out + i * channels, in + pixels[i] * channels, (size_t)channels);
    }
}

void tfkd_shift(int8_t *history, size_t size, size_t step)
{
    /* Blocks of `step` bytes do not overlap, as memcpy demands. */
    for (size_t done = 0; done < size; done += step) {
        const size_t left = size - done;
        memcpy(history + done, history + done + step, left < step ? left : step);
    }
}
