/* SPDX-License-Identifier: Apache-2.0, of tfkd */
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

static value load(const float *point)
{
    const value x = {point[0], point[1]};
    return x;
}

static void store(float *point, float re, float im)
{
    point[0] = re;
    point[1] = im;
}

/* Stores (re + i im) root. */
static void store_turned(float *point, float re, float im, value root)
{
    store(point, re * root.re - im * root.im, re * root.im + im * root.re);
}

/* A stage turns `stride` interleaved transforms of radix * groups points each into radix * stride
 * transforms of `groups` points. The inputs of a butterfly lie HALF / radix points apart, its
 * outputs `stride` points; output j of butterfly (p, q) is turned by root j p stride. */

/* The `stride` butterflies of one group; `turned` says whether the roots are others than 1. */
static inline void butterflies_4(const float *in, float *out, int32_t stride, int turned,
                                 value root_1, value root_2, value root_3)
{
    enum { APART = 2 * (HALF / 4) };
    float *const second = out + 2 * stride, *const third = second + 2 * stride;
    float *const fourth = third + 2 * stride;
    for (int32_t q = 0; q < 2 * stride; q += 2) {
        const value a = load(in + q);
        const value b = load(in + APART + q);
        const value c = load(in + APART * 2 + q);
        const value d = load(in + APART * 3 + q);
        const value sum_ac = {a.re + c.re, a.im + c.im};
        const value sum_bd = {b.re + d.re, b.im + d.im};
        const value gap_ac = {a.re - c.re, a.im - c.im};
        const value gap_bd = {b.re - d.re, b.im - d.im};
        store(out + q, sum_ac.re + sum_bd.re, sum_ac.im + sum_bd.im);
        if (turned) {
            store_turned(second + q, gap_ac.re + gap_bd.im, gap_ac.im - gap_bd.re, root_1);
            store_turned(third + q, sum_ac.re - sum_bd.re, sum_ac.im - sum_bd.im, root_2);
            store_turned(fourth + q, gap_ac.re - gap_bd.im, gap_ac.im + gap_bd.re, root_3);
        } else {
            store(second + q, gap_ac.re + gap_bd.im, gap_ac.im - gap_bd.re);
            store(third + q, sum_ac.re - sum_bd.re, sum_ac.im - sum_bd.im);
            store(fourth + q, gap_ac.re - gap_bd.im, gap_ac.im + gap_bd.re);
        }
    }
}

static void stage_4(const float *in, float *out, int32_t groups, int32_t stride)
{
    const value one = {1.0f, 0.0f};
    butterflies_4(in, out, stride, 0, one, one, one);
    for (int32_t p = 1; p < groups; ++p) {
        in += 2 * stride;
        out += 8 * stride;
        butterflies_4(in, out, stride, 1, load(tfkd_roots[p * stride]),
                      load(tfkd_roots[2 * p * stride]), load(tfkd_roots[3 * p * stride]));
    }
}

static void stage_2(const float *in, float *out, int32_t groups, int32_t stride)
{
    for (int32_t p = 0; p < groups; ++p) {
        const value root = load(tfkd_roots[p * stride]);
        for (int32_t q = 0; q < stride; ++q) {
            const value a = load(in);
            const value b = load(in + 2 * (HALF / 2));
            store(out, a.re + b.re, a.im + b.im);
            store_turned(out + 2 * stride, a.re - b.re, a.im - b.im, root);
            in += 2;
            out += 2;
        }
        out += 2 * stride;
    }
}

static void stage_odd(const float *in, float *out, int32_t groups, int32_t stride, int32_t radix)
{
    const int32_t apart = HALF / radix;
    for (int32_t p = 0; p < groups; ++p) {
        for (int32_t q = 0; q < stride; ++q) {
            for (int32_t j = 0; j < radix; ++j) {
                value total = load(in);
                for (int32_t i = 1; i < radix; ++i) {
                    const value x = load(in + 2 * apart * i);
                    const value root = load(tfkd_roots[i * j % radix * apart]);
                    total.re += x.re * root.re - x.im * root.im;
                    total.im += x.re * root.im + x.im * root.re;
                }
                if (j == 0) {
                    store(out, total.re, total.im);
                } else {
                    const value root = load(tfkd_roots[j * p * stride]);
                    store_turned(out + 2 * stride * j, total.re, total.im, root);
                }
            }
            in += 2;
            out += 2;
        }
        out += 2 * stride * (radix - 1);
    }
}

/* The radix of the stage that splits transforms of `length` points: 4, 2, the smallest odd one. */
static int32_t radix_of(int32_t length)
{
    int32_t radix = 3;
    if (length % 2 == 0) {
        return length % 4 == 0 ? 4 : 2;
    }
    while (length % radix != 0) {
        radix += 2;
    }
    return radix;
}

/* Transforms HALF complex points; both arrays are overwritten, the one returned has the result. */
static float *transform(float *points, float *other)
{
    int32_t length = HALF, stride = 1;
    while (length > 1) {
        const int32_t radix = radix_of(length);
        if (radix == 4) {
            stage_4(points, other, length / 4, stride);
        } else if (radix == 2) {
            stage_2(points, other, length / 2, stride);
        } else {
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

/* Whether `transform` returns its second array. */
static int changes_arrays(void)
{
    int changes = 0;
    for (int32_t length = HALF; length > 1; length /= radix_of(length)) {
        changes = !changes;
    }
    return changes;
}

void tfkd_real_fft(float *frame, float *spectrum)
{
    const float *points = transform(frame, spectrum); /* one of the two */
    const value first = load(points);
    for (int32_t k = 1; k <= MIDDLE; ++k) {
        const value low = load(points + 2 * k), high = load(points + 2 * (HALF - k));
        const value turn = load(tfkd_turns[k]);
        const value even = {0.5f * (low.re + high.re), 0.5f * (low.im - high.im)};
        const value odd = {0.5f * (low.im + high.im), 0.5f * (high.re - low.re)};
        const float re = odd.re * turn.re - odd.im * turn.im;
        const float im = odd.re * turn.im + odd.im * turn.re;
        store(spectrum + 2 * k, even.re + re, even.im + im);
        store(spectrum + 2 * (HALF - k), even.re - re, im - even.im);
    }
    store(spectrum, first.re + first.im, first.re - first.im);
}

void tfkd_inverse_real_fft(float *spectrum, float *frame)
{
    const float half = 0.5f / (float)HALF;
    const value ends = load(spectrum);
    float *const points = changes_arrays() ? spectrum : frame; /* so the result is in `frame` */
    store(points, half * (ends.re + ends.im), half * (ends.re - ends.im));
    /* In reverse order, of which the forward transform is the inverse. */
    for (int32_t k = 1; k <= MIDDLE; ++k) {
        const value low = load(spectrum + 2 * k), high = load(spectrum + 2 * (HALF - k));
        const value turn = load(tfkd_turns[k]);
        const value even = {half * (low.re + high.re), half * (low.im - high.im)};
        const value turned = {half * (low.re - high.re), half * (low.im + high.im)};
        const float re = turned.re * turn.re + turned.im * turn.im;
        const float im = turned.im * turn.re - turned.re * turn.im;
        store(points + 2 * (HALF - k), even.re - im, even.im + re);
        store(points + 2 * k, even.re + im, re - even.im);
    }
    (void)transform(points, points == frame ? spectrum : frame);
}
