/* SPDX-License-Identifier: Apache-2.0, of tfkd */
/* CONV_2D and DEPTHWISE_CONV_2D: see kernels.h. Sources of the arithmetic: TensorFlow Lite's
 * reference kernels (tensorflow/lite/kernels/internal/reference/integer_ops/conv.h,
 * depthwise_conv.h) and MultiplyByQuantizedMultiplier with double rounding
 * (tensorflow/lite/kernels/internal/common.cc).
 */
#include <string.h>

#include "arithmetic.h"
#include "inner_products.h"
#include "kernels.h"

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

static int contains(span positions, int32_t position)
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
static int32_t row_size(int32_t length)
{
    return (length + 7) & ~7;
}

/* Where in the input the window of the first position of a row lies. */
static int32_t place_of(const tfkd_convolution *c, int32_t row)
{
    const int32_t top = row * c->stride_height - c->pad_top;
    return (top * c->in_width - c->pad_left) * c->in_channels;
}

/* How many columns from x on lie inside the input, if x does, or else outside; `most` at most. */
static int32_t run_length(int32_t x, int32_t width, int32_t most)
{
    const int32_t run = x < 0 ? -x : x < width ? width - x : most;
    return run < most ? run : most;
}

/* Copies the window of a position to `patch`. */
static void copy_window(int8_t *patch, const int8_t *in, const tfkd_convolution *c, int32_t row,
                        int32_t column)
{
    const int32_t top = row * c->stride_height - c->pad_top;
    const int32_t left = column * c->stride_width - c->pad_left;
    for (int32_t i = 0; i < c->filter_height; i++) {
        const int32_t y = top + i * c->dilation_height;
        int32_t run = 1; /* taps that are copied together */
        for (int32_t j = 0; j < c->filter_width; j += run) {
            const int32_t x = left + j * c->dilation_width;
            if (c->dilation_width == 1) {
                run = run_length(x, c->in_width, c->filter_width - j);
            }
            const size_t bytes = (size_t)(run * c->in_channels);
            if (y >= 0 && y < c->in_height && x >= 0 && x < c->in_width) {
                memcpy(patch, in + (y * c->in_width + x) * c->in_channels, bytes);
            } else {
                memset(patch, c->in_zero_point, bytes);
            }
            patch += bytes;
        }
    }
}

/* One output position of CONV_2D, the channels from by_fours on: the rows of weights times x. */
static void dense_rest(int8_t *out, const int8_t *x, int32_t length, const tfkd_convolution *c)
{
    const int32_t row_length = row_size(length);
    const int16_t *w = c->weights + (c->paired ? c->by_fours / 2 : c->by_fours) * row_length;
    for (int32_t k = c->by_fours; k < c->out_channels; k++) {
        const tfkd_channels *const q = c->channels + k / 4;
        int32_t sum = q->bias[k % 4];
        for (int32_t i = 0; i < length; i++) {
            sum += x[i] * w[i];
        }
        out[k] = requantize(sum, q, k % 4, c->rounds_once);
        w += row_length;
    }
}

/* One output position, the channels that come by fours. */
static TFKD_INLINE void dense_fours(int8_t *out, const operand *x, int32_t length,
                                    const tfkd_convolution *c, int once)
{
    const int32_t row_length = row_size(length);
    const int16_t *w = c->weights;
    const tfkd_channels *q = c->channels;
    for (int8_t *const end = out + c->by_fours; out != end; out += 4) {
        int32_t sum[4];
#ifdef TFKD_WIDENED
        w = dot_4_paired_rows(sum, q->bias, x, length, w, row_length);
#else
        w = c->paired ? dot_4_paired_rows(sum, q->bias, x, length, w, row_length)
                      : dot_4_rows(sum, q->bias, x, length, w, row_length);
#endif
        requantize_4(out, sum, q, once);
        q++;
    }
}

static TFKD_OUT_OF_LINE void dense(int8_t *out, const operand *x, int32_t length,
                                   const tfkd_convolution *c)
{
    if (c->rounds_once) {
        dense_fours(out, x, length, c, 1);
    } else {
        dense_fours(out, x, length, c, 0);
    }
}

#ifdef TFKD_WIDENED
/* The same for two output positions, `apart` bytes, and weights that are not paired. The first one
 * is written last, so that with 0 it is the only one. */
static TFKD_INLINE void dense_fours_2(int8_t *out, int32_t apart, const operand *x,
                                      int32_t row_length, const tfkd_convolution *c, int once)
{
    const int16_t *w = c->weights;
    const tfkd_channels *q = c->channels;
    for (int8_t *const end = out + c->by_fours; out != end; out += 4) {
        int32_t sum[8];
        w = dot_2_by_4(sum, q->bias, x, w, row_length);
        requantize_2_by_4(out, apart, sum, q, once);
        q++;
    }
}

static TFKD_OUT_OF_LINE void dense_2(int8_t *out, int32_t apart, const operand *x,
                                     int32_t row_length, const tfkd_convolution *c)
{
    if (c->rounds_once) {
        dense_fours_2(out, apart, x, row_length, c, 1);
    } else {
        dense_fours_2(out, apart, x, row_length, c, 0);
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
    uint32_t *const words = patch;
    int32_t waiting = 0; /* positions of two that are widened */
    bytes += 4 * row_length;
#endif
    for (int32_t row = 0; row < c.out_height; row++) {
        const span whole = contains(rows, row) ? columns : none;
        int32_t place = place_of(&c, row);
        for (int32_t column = 0; column < c.out_width; column++) {
            const int8_t *x = bytes;
            if (contains(whole, column)) {
                x = in + place;
            } else {
                copy_window(bytes, in, conv, row, column);
            }
            place += c.stride_width * c.in_channels;
            if (c.by_fours < c.out_channels) {
                dense_rest(out, x, length, conv);
            }
#ifdef TFKD_WIDENED
            if (c.paired) {
                widen(words, x, length, 1);
                dense(out, patch, length, conv);
            } else {
                widen(words + waiting, x, length, 2);
                waiting++;
                if (waiting == 2) {
                    dense_2(out - c.out_channels, c.out_channels, patch, row_length, conv);
                    waiting = 0;
                }
            }
#else
            dense(out, x, length, &c);
#endif
            out += c.out_channels;
        }
    }
#ifdef TFKD_WIDENED
    if (waiting) { /* the last one of an odd number, with what is left of the one before it */
        dense_2(out - c.out_channels, 0, patch, row_length, conv);
    }
#endif
}

/* Where a depthwise convolution's window lies, and the steps from tap to tap. */
typedef struct {
    const int8_t *taps;
    int32_t row_step, column_step;
} window;

/* All channels that come by fours, `rows` times `columns` taps, `known` to the compiler or not, for
 * `positions` output positions whose windows are `stride` bytes apart. */
static TFKD_INLINE void depthwise_taps(int8_t *out, window x, int32_t positions, int32_t stride,
                                       int32_t rows, int32_t columns, int known,
                                       const tfkd_convolution *c, int once)
{
    for (; positions; positions--) {
        const int16_t *w = c->weights;
        const tfkd_channels *q = c->channels;
        const int8_t *channel = x.taps;
        for (int8_t *const end = out + c->by_fours; out != end; out += 4) {
            int32_t sum[4] = {q->bias[0], q->bias[1], q->bias[2], q->bias[3]};
            const int8_t *taps = channel;
            if (known && rows == 3) {
                w = add_taps(sum, taps, x.column_step, w, columns);
                w = add_taps(sum, taps + x.row_step, x.column_step, w, columns);
                w = add_taps(sum, taps + 2 * x.row_step, x.column_step, w, columns);
            } else {
                for (int32_t i = rows; i; i--) {
                    w = add_taps(sum, taps, x.column_step, w, columns);
                    taps += x.row_step;
                }
            }
            requantize_4(out, sum, q, once);
            channel += 4;
            q++;
        }
        x.taps += stride;
        out += c->out_channels - c->by_fours;
    }
}

static TFKD_OUT_OF_LINE void depthwise(int8_t *out, window x, int32_t positions, int32_t stride,
                                       const tfkd_convolution *c)
{
    int32_t rows = c->filter_height, columns = c->filter_width;
    if (columns == 1) { /* one row of many taps is faster than many rows of one */
        x.column_step = x.row_step;
        columns = rows;
        rows = 1;
    }
    if (!c->rounds_once) {
        depthwise_taps(out, x, positions, stride, rows, columns, 0, c, 0);
    } else if (rows == 3 && columns == 3) {
        depthwise_taps(out, x, positions, stride, 3, 3, 1, c, 1);
    } else if (rows == 1 && columns == 3) {
        depthwise_taps(out, x, positions, stride, 1, 3, 1, c, 1);
    } else if (rows == 1 && columns == 5) {
        depthwise_taps(out, x, positions, stride, 1, 5, 1, c, 1);
    } else {
        depthwise_taps(out, x, positions, stride, rows, columns, 0, c, 1);
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
                x.taps = in + place_of(&c, row) + column * c.stride_width * c.in_channels;
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
