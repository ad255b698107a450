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

/* Weights in a row of CONV_2D. */
static inline int32_t row_size(int32_t length)
{
    return (length + 7) & ~7;
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
static TFKD_INLINE void dense_rows(int8_t *out, const operand *x, int32_t length,
                                   const tfkd_convolution *c, int once)
{
    const int32_t row_length = row_size(length);
    const int16_t *w = c->weights;
    const tfkd_channels *q = c->channels;
    for (int8_t *const end = out + c->by_fours; out != end; out += 4) {
        int32_t sum[4];
        w = dot_4_rows(sum, q->bias, x, length, w, row_length);
        requantize_4(out, sum, q, once);
        q++;
    }
    for (int32_t k = 0; k < c->out_channels - c->by_fours; k++) {
        int32_t sum = q[k / 4].bias[k % 4];
        for (int32_t i = 0; i < length; i++) {
            sum += x[i] * w[i];
        }
        out[k] = requantize(sum, q + k / 4, k % 4, once);
        w += row_length;
    }
}

static TFKD_OUT_OF_LINE void dense(int8_t *out, const operand *x, int32_t length,
                                   const tfkd_convolution *c)
{
    if (c->rounds_once) {
        dense_rows(out, x, length, c, 1);
    } else {
        dense_rows(out, x, length, c, 0);
    }
}

#ifdef TFKD_WIDENED
/* Channels k and k + 1 of four, for two output positions. Returns where the next weights lie. */
static TFKD_INLINE const int16_t *dense_2_by_2(int8_t *out, const operand *x, int32_t row_length,
                                               const int16_t *w, const tfkd_channels *q, int k,
                                               int32_t channels, int once)
{
    int32_t sum[2][2];
    w = dot_2_by_2(sum, q->bias + k, x, w, row_length);
    const tfkd_factor f_0 = q->factor[k], f_1 = q->factor[k + 1];
    if (once) {
        const int32_t shift = q->shift[0];
        out[k] = requantize_once(sum[0][0], f_0, shift);
        out[k + 1] = requantize_once(sum[0][1], f_1, shift);
        out[channels + k] = requantize_once(sum[1][0], f_0, shift);
        out[channels + k + 1] = requantize_once(sum[1][1], f_1, shift);
    } else {
        const uint32_t shift_0 = (uint32_t)q->shift[k], shift_1 = (uint32_t)q->shift[k + 1];
        out[k] = requantize_twice(sum[0][0], f_0, shift_0);
        out[k + 1] = requantize_twice(sum[0][1], f_1, shift_1);
        out[channels + k] = requantize_twice(sum[1][0], f_0, shift_0);
        out[channels + k + 1] = requantize_twice(sum[1][1], f_1, shift_1);
    }
    return w;
}

/* The same as `dense` for two output positions and channels by fours only. */
static TFKD_INLINE void dense_rows_2(int8_t *out, const operand *x, int32_t row_length,
                                     const tfkd_convolution *c, int once)
{
    const int32_t channels = c->by_fours;
    const int16_t *w = c->weights;
    const tfkd_channels *q = c->channels;
    for (int8_t *const end = out + channels; out != end; out += 4) {
        w = dense_2_by_2(out, x, row_length, w, q, 0, channels, once);
        w = dense_2_by_2(out, x, row_length, w, q, 2, channels, once);
        q++;
    }
}

static TFKD_OUT_OF_LINE void dense_2_positions(int8_t *out, const operand *x, int32_t row_length,
                                               const tfkd_convolution *c)
{
    if (c->rounds_once) {
        dense_rows_2(out, x, row_length, c, 1);
    } else {
        dense_rows_2(out, x, row_length, c, 0);
    }
}
#endif

void tfkd_conv_2d(int8_t *out, const int8_t *in, void *patch, const tfkd_convolution *conv)
{
    const tfkd_convolution c = *conv; /* a copy, which stores to `out` cannot change */
    const span none = {0, 0};
    const span rows = is_whole(conv) ? rows_inside(conv) : none;
    const span columns = columns_inside(conv);
    const int32_t length = c.filter_height * c.filter_width * c.in_channels;
    int8_t *bytes = patch;
#ifdef TFKD_WIDENED
    const int32_t row_length = row_size(length);
    /* Positions are computed by twos, but for a last one, and where all channels come by fours. */
    int32_t waiting = 0;
    int32_t left = c.by_fours == c.out_channels ? c.out_height * c.out_width : 0;
    bytes += 4 * row_length;
#endif
    for (int32_t row = 0; row < c.out_height; row++) {
        for (int32_t column = 0; column < c.out_width; column++) {
            const int8_t *x = bytes;
            if (contains(rows, row) && contains(columns, column)) {
                x = window_at(in, &c, row, column);
            } else {
                copy_window(bytes, in, conv, row, column);
            }
#ifdef TFKD_WIDENED
            if (waiting) {
                widen((uint32_t *)patch + 1, x, length, 2);
                dense_2_positions(out - c.out_channels, patch, row_length, &c);
                waiting = 0;
            } else if (left >= 2) {
                widen(patch, x, length, 2);
                waiting = 1;
            } else {
                widen(patch, x, length, 1);
                dense(out, patch, length, &c);
            }
            left--;
#else
            dense(out, x, length, &c);
#endif
            out += c.out_channels;
        }
    }
}

/* Where a depthwise convolution's window lies, and the steps from tap to tap. */
typedef struct {
    const int8_t *taps;
    int32_t row_step, column_step;
} window;

/* All channels that come by fours, `rows` times `columns` taps, for `positions` output positions
 * whose windows are `stride` bytes apart. */
static TFKD_INLINE void depthwise_taps(int8_t *out, window x, int32_t positions, int32_t stride,
                                       int32_t rows, int32_t columns, const tfkd_convolution *c,
                                       int once)
{
    for (; positions; positions--) {
        const int16_t *w = c->weights;
        const tfkd_channels *q = c->channels;
        const int8_t *channel = x.taps;
        for (int8_t *const end = out + c->by_fours; out != end; out += 4) {
            int32_t sum[4] = {q->bias[0], q->bias[1], q->bias[2], q->bias[3]};
            const int8_t *taps = channel;
            for (int32_t i = rows; i; i--) {
                w = add_taps(sum, taps, x.column_step, w, columns);
                taps += x.row_step;
            }
            requantize_4(out, sum, q, once);
            channel += 4;
            q++;
        }
        x.taps += stride;
        out += c->out_channels - c->by_fours;
    }
}

static TFKD_INLINE void depthwise_rows(int8_t *out, window x, int32_t positions, int32_t stride,
                                       const tfkd_convolution *c, int once)
{
    if (c->filter_width == 3) { /* usual, and faster where it is known */
        depthwise_taps(out, x, positions, stride, c->filter_height, 3, c, once);
    } else if (c->filter_width != 1) {
        depthwise_taps(out, x, positions, stride, c->filter_height, c->filter_width, c, once);
    } else { /* one row of many taps is faster than many rows of one */
        x.column_step = x.row_step;
        depthwise_taps(out, x, positions, stride, 1, c->filter_height, c, once);
    }
}

static TFKD_OUT_OF_LINE void depthwise(int8_t *out, window x, int32_t positions, int32_t stride,
                                       const tfkd_convolution *c)
{
    if (c->rounds_once) {
        depthwise_rows(out, x, positions, stride, c, 1);
    } else {
        depthwise_rows(out, x, positions, stride, c, 0);
    }
}

/* One output position for the channels from `channel` on, each for itself. */
static void depthwise_rest(int8_t *out, window x, int32_t channel, const tfkd_convolution *c)
{
    const int32_t size = c->filter_height * c->filter_width;
    const int32_t per_input = c->out_channels / c->in_channels;
    for (; channel < c->out_channels; channel++) {
        const tfkd_channels *const q = c->channels + channel / 4;
        const int16_t *w = c->weights + channel / 4 * size * 4 + channel % 4;
        const int8_t *const taps = x.taps + channel / per_input;
        int32_t sum = q->bias[channel % 4];
        for (int32_t i = 0; i < c->filter_height; i++) {
            for (int32_t j = 0; j < c->filter_width; j++) {
                sum += taps[i * x.row_step + j * x.column_step] * *w;
                w += 4;
            }
        }
        out[channel] = requantize(sum, q, channel % 4, c->rounds_once);
    }
}

void tfkd_depthwise_conv_2d(int8_t *out, const int8_t *in, int8_t *patch,
                            const tfkd_convolution *conv)
{
    const tfkd_convolution c = *conv; /* as above */
    const span rows = rows_inside(conv);
    const span columns = columns_inside(conv);
    const window inside = {in, c.dilation_height * c.in_width * c.in_channels,
                           c.dilation_width * c.in_channels};
    const window copied = {patch, c.filter_width * c.in_channels, c.in_channels};
    for (int32_t row = 0; row < c.out_height; row++) {
        int32_t column = 0;
        while (column < c.out_width) {
            int32_t positions = 1;
            window x = copied;
            if (contains(rows, row) && contains(columns, column)) {
                x = inside;
                x.taps = window_at(in, &c, row, column);
                positions = (columns.end < c.out_width ? columns.end : c.out_width) - column;
            } else {
                copy_window(patch, in, conv, row, column);
            }
            depthwise(out, x, positions, c.stride_width * c.in_channels, &c);
            if (c.by_fours < c.out_channels) {
                for (int32_t i = 0; i < positions; i++) {
                    depthwise_rest(out + i * c.out_channels, x, c.by_fours, conv);
                    x.taps += c.stride_width * c.in_channels;
                }
            }
            out += positions * c.out_channels;
            column += positions;
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
    const int32_t *const from_b = s.from_b + 128;
    int32_t i = 0;
#ifdef TFKD_MVE
    for (; i < size; i += 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)(size - i));
        const int32x4_t index = vaddq_n_s32(vldrbq_z_s32(b + i, lanes), 128);
        const int32x4_t twice_b =
            vldrwq_gather_shifted_offset_s32(s.from_b, vreinterpretq_u32_s32(index));
        const int32x4_t twice_sum =
            vaddq_s32(vshlq_n_s32(vldrbq_z_s32(a + i, lanes), 20), twice_b);
        const int32x4_t scaled =
            scale_twofold_4(twice_sum, vdupq_n_s32(s.multiplier), vdupq_n_s32(s.rounding),
                            vdupq_n_s32((int32_t)s.shift));
        vstrbq_p_s32(out + i, saturate_4(vshrq_n_s32(scaled, 1)), lanes);
    }
#endif
    for (; i < size; i++) {
        /* Everything is doubled, as multiply_high has it. */
        const int32_t twice_sum = a[i] * (1 << 20) + from_b[b[i]];
        out[i] = saturate_half(scale_twofold(twice_sum, s.multiplier, s.rounding, s.shift));
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
