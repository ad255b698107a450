/* See kernels.h. Sources of the arithmetic: TensorFlow Lite's reference kernels
 * (tensorflow/lite/kernels/internal/reference/integer_ops/conv.h, depthwise_conv.h, ../add.h) and
 * MultiplyByQuantizedMultiplier with double rounding (tensorflow/lite/kernels/internal/common.cc).
 */
#include "kernels.h"

#include <string.h>

#include "arithmetic.h"

/* Output positions along one axis, from `begin` to before `end`. */
typedef struct {
    int32_t begin, end;
} span;

/* Those whose window lies inside the input. */
static span inside(int32_t in_size, int32_t filter_size, int32_t stride, int32_t dilation,
                   int32_t pad)
{
    const int32_t last = in_size + pad - 1 - (filter_size - 1) * dilation;
    const span positions = {(pad + stride - 1) / stride, last < 0 ? 0 : last / stride + 1};
    return positions;
}

static span rows_inside(const tfkd_convolution *c)
{
    return inside(c->in_height, c->filter_height, c->stride_height, c->dilation_height,
                  c->pad_top);
}

static span columns_inside(const tfkd_convolution *c)
{
    return inside(c->in_width, c->filter_width, c->stride_width, c->dilation_width, c->pad_left);
}

static inline int contains(span positions, int32_t position)
{
    return position >= positions.begin && position < positions.end;
}

/* Whether a window inside the input is one piece of it. */
static int is_whole(const tfkd_convolution *c)
{
    return (c->filter_width == 1 || c->dilation_width == 1) &&
           (c->filter_height == 1 || (c->dilation_height == 1 && c->filter_width == c->in_width));
}

/* Where the window of a position lies, if it lies inside the input. */
static inline const int8_t *window_at(const int8_t *in, const tfkd_convolution *c, int32_t row,
                                      int32_t column)
{
    const int32_t top = row * c->stride_height - c->pad_top;
    const int32_t left = column * c->stride_width - c->pad_left;
    return in + (top * c->in_width + left) * c->in_channels;
}

/* Copies the window of a position to `patch`. */
static void copy_window(int8_t *patch, const int8_t *in, const tfkd_convolution *c, int32_t row,
                        int32_t column)
{
    const size_t channels = (size_t)c->in_channels;
    const int32_t top = row * c->stride_height - c->pad_top;
    const int32_t left = column * c->stride_width - c->pad_left;
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

/* One output position of CONV_2D: every row of weights times x. */
static inline void dense(int8_t *out, const int8_t *x, int32_t length, const tfkd_convolution *c)
{
    const int32_t rounding = 2 * c->out_zero_point + 1;
    const int8_t *w = c->weights;
    const tfkd_channels *q = c->channels;
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
    const tfkd_convolution c = *conv; /* a copy, which stores to `out` cannot change */
    const span none = {0, 0};
    const span rows = is_whole(conv) ? rows_inside(conv) : none;
    const span columns = columns_inside(conv);
    const int32_t length = c.filter_height * c.filter_width * c.in_channels;
    for (int32_t row = 0; row < c.out_height; row++) {
        for (int32_t column = 0; column < c.out_width; column++) {
            const int8_t *x = patch;
            if (contains(rows, row) && contains(columns, column)) {
                x = window_at(in, &c, row, column);
            } else {
                copy_window(patch, in, conv, row, column);
            }
            dense(out, x, length, &c);
            out += c.out_channels;
        }
    }
}

/* Where a depthwise convolution's window lies, and the steps from tap to tap. */
typedef struct {
    const int8_t *taps;
    int32_t row_step, column_step;
} window;

/* One output position for the first `fours` * 4 channels, where out_channels == in_channels. */
static TFKD_OUT_OF_LINE void depthwise(int8_t *out, window x, int32_t fours,
                                       const tfkd_convolution *c)
{
    const int32_t rounding = 2 * c->out_zero_point + 1;
    /* One row of many taps is faster than many rows of one. */
    const int32_t rows = c->filter_width == 1 ? 1 : c->filter_height;
    const int32_t columns = c->filter_width == 1 ? c->filter_height : c->filter_width;
    const int32_t step = c->filter_width == 1 ? x.row_step : x.column_step;
    const int8_t *w = c->weights;
    const tfkd_channels *q = c->channels;
    for (; fours; fours--) {
        int32_t sum[4] = {q->bias[0], q->bias[1], q->bias[2], q->bias[3]};
        const int8_t *taps = x.taps;
        for (int32_t i = rows; i; i--) {
            w = add_taps(sum, taps, step, w, columns);
            taps += x.row_step;
        }
        requantize_4(out, sum, q, rounding);
        x.taps += 4;
        out += 4;
        q++;
    }
}

/* One output position for the channels from `channel` on, each for itself. */
static void depthwise_rest(int8_t *out, window x, int32_t channel, const tfkd_convolution *c)
{
    const int32_t size = c->filter_height * c->filter_width;
    const int32_t per_input = c->out_channels / c->in_channels;
    for (; channel < c->out_channels; channel++) {
        const tfkd_channels *const q = c->channels + channel / 4;
        const int8_t *w = c->weights + channel / 4 * size * 4 + channel % 4;
        const int8_t *const taps = x.taps + channel / per_input;
        int32_t sum = q->bias[channel % 4];
        for (int32_t i = 0; i < c->filter_height; i++) {
            for (int32_t j = 0; j < c->filter_width; j++) {
                sum += taps[i * x.row_step + j * x.column_step] * *w;
                w += 4;
            }
        }
        out[channel] = requantize(sum, q, channel % 4, 2 * c->out_zero_point + 1);
    }
}

void tfkd_depthwise_conv_2d(int8_t *out, const int8_t *in, int8_t *patch,
                            const tfkd_convolution *conv)
{
    const tfkd_convolution c = *conv; /* as above */
    const span rows = rows_inside(conv);
    const span columns = columns_inside(conv);
    const int32_t fours = c.in_channels == c.out_channels ? c.out_channels / 4 : 0;
    for (int32_t row = 0; row < c.out_height; row++) {
        for (int32_t column = 0; column < c.out_width; column++) {
            window x = {patch, c.filter_width * c.in_channels, c.in_channels};
            if (contains(rows, row) && contains(columns, column)) {
                x.taps = window_at(in, &c, row, column);
                x.row_step = c.dilation_height * c.in_width * c.in_channels;
                x.column_step = c.dilation_width * c.in_channels;
            } else {
                copy_window(patch, in, conv, row, column);
            }
            depthwise(out, x, fours, &c);
            if (4 * fours < c.out_channels) {
                depthwise_rest(out, x, 4 * fours, conv);
            }
            out += c.out_channels;
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
    const int32_t b_offset = s.b_zero_point * (1 << s.b_left);
    const int32_t offset = s.a_zero_point * (1 << 20) - 1;
    const int32_t rounding = 2 * s.out_zero_point + 1;
    int32_t i = 0;
#ifdef TFKD_MVE
    for (; i < size; i += 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)(size - i));
        const int32x4_t from_b =
            vsubq_n_s32(vshlq_r_s32(vldrbq_z_s32(b + i, lanes), s.b_left), b_offset);
        const int32x4_t twice_b = scale_twofold_4(from_b, vdupq_n_s32(s.b_multiplier),
                                                  vdupq_n_s32(s.b_shift));
        const int32x4_t even_b = vbicq_n_s32(vsubq_n_s32(twice_b, offset), 1);
        const int32x4_t twice_sum =
            vaddq_s32(vshlq_n_s32(vldrbq_z_s32(a + i, lanes), 20), even_b);
        const int32x4_t scaled =
            scale_twofold_4(twice_sum, vdupq_n_s32(s.multiplier), vdupq_n_s32(s.shift));
        vstrbq_p_s32(out + i, saturate_half_4(vaddq_n_s32(scaled, rounding)), lanes);
    }
#endif
    for (; i < size; i++) {
        /* Everything is doubled, as multiply_high has it; `& ~1` is the halving of scale_twofold's
         * result, doubled again. */
        const int32_t from_b = b[i] * (1 << s.b_left) - b_offset;
        const int32_t twice_b = scale_twofold(from_b, s.b_multiplier, s.b_shift);
        const int32_t twice_sum = a[i] * (1 << 20) + ((twice_b - offset) & ~1);
        out[i] = (int8_t)saturate_half(scale_twofold(twice_sum, s.multiplier, s.shift) + rounding);
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
