/* Stockham's Fourier transform: radices 4, 2 and odd ones, no reordering, tables in flash.
 *
 * It performs the operations of tfkd/real_fft.py in the same order, so that both give the same
 * bits. A transform of TFKD_WINDOW reals is one of HALF complex numbers: even samples + i odd ones.
 */
#include "real_fft.h"

#include "float32.h"
#include "front_end.h"

#define HALF (TFKD_WINDOW / 2)
#define MIDDLE (TFKD_WINDOW / 4)

typedef struct {
    float re, im;
} value;

static value load(const float *points, int32_t index)
{
    const value x = {points[2 * index], points[2 * index + 1]};
    return x;
}

static void store(float *points, int32_t index, float re, float im)
{
    points[2 * index] = re;
    points[2 * index + 1] = im;
}

/* Stores (re + i im) root. */
static void store_turned(float *points, int32_t index, float re, float im, const float *root)
{
    store(points, index, re * root[0] - im * root[1], re * root[1] + im * root[0]);
}

/* The stages take `stride` interleaved transforms of radix * groups points apart, into radix *
 * stride transforms of `groups` points. Input i of butterfly (p, q) is q + stride (p + i groups),
 * its output j is q + stride (radix p + j), turned by root j p stride. */

static void stage_4(const float *in, float *out, int32_t groups, int32_t stride)
{
    for (int32_t p = 0; p < groups; ++p) {
        const float *root_1 = tfkd_roots[p * stride];
        const float *root_2 = tfkd_roots[2 * p * stride];
        const float *root_3 = tfkd_roots[3 * p * stride];
        for (int32_t q = 0; q < stride; ++q) {
            const int32_t from = q + stride * p, to = q + stride * 4 * p;
            const value a = load(in, from);
            const value b = load(in, from + stride * groups);
            const value c = load(in, from + stride * groups * 2);
            const value d = load(in, from + stride * groups * 3);
            const value sum_ac = {a.re + c.re, a.im + c.im};
            const value sum_bd = {b.re + d.re, b.im + d.im};
            const value gap_ac = {a.re - c.re, a.im - c.im};
            const value gap_bd = {b.re - d.re, b.im - d.im};
            store(out, to, sum_ac.re + sum_bd.re, sum_ac.im + sum_bd.im);
            store_turned(out, to + stride, gap_ac.re + gap_bd.im, gap_ac.im - gap_bd.re, root_1);
            store_turned(out, to + stride * 2, sum_ac.re - sum_bd.re, sum_ac.im - sum_bd.im,
                         root_2);
            store_turned(out, to + stride * 3, gap_ac.re - gap_bd.im, gap_ac.im + gap_bd.re,
                         root_3);
        }
    }
}

static void stage_2(const float *in, float *out, int32_t groups, int32_t stride)
{
    for (int32_t p = 0; p < groups; ++p) {
        for (int32_t q = 0; q < stride; ++q) {
            const int32_t from = q + stride * p, to = q + stride * 2 * p;
            const value a = load(in, from);
            const value b = load(in, from + stride * groups);
            store(out, to, a.re + b.re, a.im + b.im);
            store_turned(out, to + stride, a.re - b.re, a.im - b.im, tfkd_roots[p * stride]);
        }
    }
}

static void stage_odd(const float *in, float *out, int32_t groups, int32_t stride, int32_t radix)
{
    for (int32_t p = 0; p < groups; ++p) {
        for (int32_t q = 0; q < stride; ++q) {
            const int32_t from = q + stride * p, to = q + stride * radix * p;
            for (int32_t j = 0; j < radix; ++j) {
                value total = load(in, from);
                for (int32_t i = 1; i < radix; ++i) {
                    const value x = load(in, from + stride * groups * i);
                    const float *root = tfkd_roots[i * j % radix * (HALF / radix)];
                    total.re += x.re * root[0] - x.im * root[1];
                    total.im += x.re * root[1] + x.im * root[0];
                }
                if (j == 0) {
                    store(out, to, total.re, total.im);
                } else {
                    store_turned(out, to + stride * j, total.re, total.im,
                                 tfkd_roots[j * p * stride]);
                }
            }
        }
    }
}

/* Transforms HALF complex points; both arrays are overwritten, the one returned has the result. */
static float *transform(float *points, float *other)
{
    int32_t length = HALF, stride = 1;
    while (length > 1) {
        int32_t radix = 4;
        if (length % 4 == 0) {
            stage_4(points, other, length / 4, stride);
        } else if (length % 2 == 0) {
            radix = 2;
            stage_2(points, other, length / 2, stride);
        } else {
            for (radix = 3; length % radix != 0; radix += 2) {
            }
            stage_odd(points, other, length / radix, stride, radix);
        }
        float *const result = other;
        other = points;
        points = result;
        length /= radix;
        stride *= radix;
    }
    return points;
}

void tfkd_real_fft(float *frame, float *spectrum)
{
    const float *points = transform(frame, spectrum); /* one of the two */
    const value first = load(points, 0);
    for (int32_t k = 1; k <= MIDDLE; ++k) {
        const value low = load(points, k), high = load(points, HALF - k);
        const float *turn = tfkd_turns[k];
        const value even = {0.5f * (low.re + high.re), 0.5f * (low.im - high.im)};
        const value odd = {0.5f * (low.im + high.im), 0.5f * (high.re - low.re)};
        const float re = odd.re * turn[0] - odd.im * turn[1];
        const float im = odd.re * turn[1] + odd.im * turn[0];
        store(spectrum, k, even.re + re, even.im + im);
        store(spectrum, HALF - k, even.re - re, im - even.im);
    }
    store(spectrum, 0, first.re + first.im, first.re - first.im);
}

void tfkd_inverse_real_fft(float *spectrum, float *frame)
{
    const float scale = 1.0f / (float)HALF;
    const value ends = load(spectrum, 0);
    store(spectrum, 0, 0.5f * (ends.re + ends.im), 0.5f * (ends.im - ends.re));
    /* The conjugate of what the inverse transforms, so that the forward one does. */
    for (int32_t k = 1; k <= MIDDLE; ++k) {
        const value low = load(spectrum, k), high = load(spectrum, HALF - k);
        const float *turn = tfkd_turns[k];
        const value even = {0.5f * (low.re + high.re), 0.5f * (low.im - high.im)};
        const value turned = {0.5f * (low.re - high.re), 0.5f * (low.im + high.im)};
        const float re = turned.re * turn[0] + turned.im * turn[1];
        const float im = turned.im * turn[0] - turned.re * turn[1];
        store(spectrum, k, even.re - im, -(even.im + re));
        store(spectrum, HALF - k, even.re + im, even.im - re);
    }
    const float *points = transform(spectrum, frame); /* one of the two */
    for (int32_t n = 0; n < HALF; ++n) {
        const value x = load(points, n);
        store(frame, n, x.re * scale, x.im * -scale);
    }
}
