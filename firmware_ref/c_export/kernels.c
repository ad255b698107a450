/* See kernels.h. Sources of the arithmetic: TensorFlow Lite's reference kernels
 * (tensorflow/lite/kernels/internal/reference/integer_ops/conv.h, depthwise_conv.h, ../add.h) and
 * MultiplyByQuantizedMultiplier with double rounding (tensorflow/lite/kernels/internal/common.cc).
 */
#include "kernels.h"

#include <string.h>

#include "arithmetic.h"

/* Whether all taps of the window at (top, left) lie inside the input. */
static inline int is_inside(const tfkd_convolution *c, int32_t top, int32_t left)
{
    return top >= 0 && top + (c->filter_height - 1) * c->dilation_height < c->in_height &&
           left >= 0 && left + (c->filter_width - 1) * c->dilation_width < c->in_width;
}

/* Whether a window inside the input is one piece of it. */
static int is_whole(const tfkd_convolution *c)
{
    return (c->filter_width == 1 || c->dilation_width == 1) &&
           (c->filter_height == 1 ||
            (c->dilation_height == 1 && c->filter_width == c->in_width));
}

/* Copies the window at (top, left) to `patch`. */
static void copy_window(int8_t *patch, const int8_t *in, const tfkd_convolution *c, int32_t top,
                        int32_t left)
{
    const size_t channels = (size_t)c->in_channels;
    for (int32_t i = 0; i < c->filter_height; i++) {
        const int32_t y = top + i * c->dilation_height;
        for (int32_t j = 0; j < c->filter_width; j++) {
            const int32_t x = left + j * c->dilation_width;
            if (y >= 0 && y < c->in_height && x >= 0 && x < c->in_width) {
                memcpy(patch, in + (y * c->in_width + x) * c->in_channels, channels);
            } else {
                memset(patch, c->in_zero_point, channels);
            }
            patch += channels;
        }
    }
}

/* One output position: every row of weights times x. */
static void dense(int8_t *out, const int8_t *x, int32_t length, const tfkd_convolution *c)
{
    const int8_t *w = c->weights;
    const tfkd_channels *q = c->channels;
    const int32_t rounding = 2 * c->out_zero_point + 1;
    int32_t left = c->out_channels;
    for (; left >= 4; left -= 4) {
        int32_t sum[4] = {q->bias[0], q->bias[1], q->bias[2], q->bias[3]};
        dot_4_rows(sum, x, w, length);
        requantize_4(out, sum, q, rounding);
        out += 4;
        w += 4 * length;
        q++;
    }
    for (int k = 0; k < left; k++) {
        int32_t sum = q->bias[k];
        for (int32_t i = 0; i < length; i++) {
            sum += x[i] * *w++;
        }
        out[k] = requantize(sum, q, k, rounding);
    }
}

void tfkd_conv_2d(int8_t *out, const int8_t *in, int8_t *patch, const tfkd_convolution *conv)
{
    const tfkd_convolution *const c = conv;
    const int32_t length = c->filter_height * c->filter_width * c->in_channels;
    const int whole = is_whole(c);
    for (int32_t row = 0; row < c->out_height; row++) {
        for (int32_t column = 0; column < c->out_width; column++) {
            const int32_t top = row * c->stride_height - c->pad_top;
            const int32_t left = column * c->stride_width - c->pad_left;
            const int8_t *x = patch;
            if (whole && is_inside(c, top, left)) {
                x = in + (top * c->in_width + left) * c->in_channels;
            } else {
                copy_window(patch, in, c, top, left);
            }
            dense(out, x, length, c);
            out += c->out_channels;
        }
    }
}

/* One output position of a depthwise convolution: `rows` of `columns` taps. */
static void depthwise(int8_t *out, const int8_t *x, int32_t rows, int32_t row_step,
                      int32_t columns, int32_t column_step, const tfkd_convolution *c)
{
    const int32_t rounding = 2 * c->out_zero_point + 1;
    const int8_t *w = c->weights;
    const tfkd_channels *q = c->channels;
    int32_t left = c->in_channels == c->out_channels ? c->out_channels : 0;
    for (; left >= 4; left -= 4) {
        int32_t sum[4] = {q->bias[0], q->bias[1], q->bias[2], q->bias[3]};
        for (int32_t i = 0; i < rows; i++) {
            w = add_taps(sum, x + i * row_step, column_step, w, columns);
        }
        requantize_4(out, sum, q, rounding);
        x += 4;
        out += 4;
        q++;
    }
}

/* The output channels from `channel` on, each for itself. */
static void depthwise_rest(int8_t *out, const int8_t *x, int32_t row_step, int32_t column_step,
                           const tfkd_convolution *c, int32_t channel)
{
    const int32_t taps = c->filter_height * c->filter_width;
    const int32_t per_input = c->out_channels / c->in_channels;
    for (; channel < c->out_channels; channel++) {
        const tfkd_channels *const q = c->channels + channel / 4;
        const int8_t *w = c->weights + channel / 4 * taps * 4 + channel % 4;
        int32_t sum = q->bias[channel % 4];
        for (int32_t i = 0; i < c->filter_height; i++) {
            for (int32_t j = 0; j < c->filter_width; j++) {
                sum += x[i * row_step + j * column_step + channel / per_input] * *w;
                w += 4;
            }
        }
        out[channel] = requantize(sum, q, channel % 4, 2 * c->out_zero_point + 1);
    }
}

void tfkd_depthwise_conv_2d(int8_t *out, const int8_t *in, int8_t *patch,
                            const tfkd_convolution *conv)
{
    const tfkd_convolution *const c = conv;
    for (int32_t row = 0; row < c->out_height; row++) {
        for (int32_t column = 0; column < c->out_width; column++) {
            const int32_t top = row * c->stride_height - c->pad_top;
            const int32_t left = column * c->stride_width - c->pad_left;
            const int8_t *x = patch;
            int32_t row_step = c->filter_width * c->in_channels;
            int32_t column_step = c->in_channels;
            if (is_inside(c, top, left)) {
                x = in + (top * c->in_width + left) * c->in_channels;
                row_step = c->dilation_height * c->in_width * c->in_channels;
                column_step = c->dilation_width * c->in_channels;
            } else {
                copy_window(patch, in, c, top, left);
            }
            if (c->filter_width == 1) { /* one row of taps, faster than many of one */
                depthwise(out, x, 1, 0, c->filter_height, row_step, c);
            } else {
                depthwise(out, x, c->filter_height, row_step, c->filter_width, column_step, c);
            }
            const int32_t done = c->in_channels == c->out_channels ? c->out_channels & ~3 : 0;
            depthwise_rest(out, x, row_step, column_step, c, done);
            out += c->out_channels;
        }
    }
}

void tfkd_clamp(int8_t *values, int32_t size, int8_t low, int8_t high)
{
    for (int32_t i = 0; i < size; i++) {
        values[i] = values[i] < low ? low : values[i] > high ? high : values[i];
    }
}

void tfkd_add(int8_t *out, const int8_t *a, const int8_t *b, int32_t size,
              const tfkd_addition *addition)
{
    const tfkd_addition s = *addition;
    for (int32_t i = 0; i < size; i++) {
        const int32_t first = (a[i] - s.a_zero_point) * (1 << 19);
        const int32_t shifted = (b[i] - s.b_zero_point) * (1 << s.b_left);
        const int32_t second = (scale_twofold(shifted, s.b_multiplier, s.b_shift) + 1) >> 1;
        const int32_t sum = scale_twofold(first + second, s.multiplier, s.shift);
        out[i] = (int8_t)saturate_half(sum + 1 + 2 * s.out_zero_point);
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
