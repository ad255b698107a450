/* SPDX-License-Identifier: Apache-2.0, of tfkd */
/* The kernels but for the convolutions: see kernels.h. Source of the addition's arithmetic:
 * TensorFlow Lite's reference kernel (tensorflow/lite/kernels/internal/reference/add.h).
 */
#include "kernels.h"

#include <string.h>

#include "arithmetic.h"

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
        const int32x4_t addend =
            vldrwq_gather_shifted_offset_s32(s.from_b, vreinterpretq_u32_s32(index));
        const int32x4_t sum = vmlaq_n_s32(addend, vldrbq_z_s32(a + i, lanes), s.multiplier);
        vstrbq_p_s32(out + i, saturate_4(vshlq_s32(sum, vdupq_n_s32(-s.shift))), lanes);
    }
#endif
    for (; i + 4 <= size; i += 4) {
        out[i] = saturate((a[i] * s.multiplier + from_b[b[i]]) >> s.shift);
        out[i + 1] = saturate((a[i + 1] * s.multiplier + from_b[b[i + 1]]) >> s.shift);
        out[i + 2] = saturate((a[i + 2] * s.multiplier + from_b[b[i + 2]]) >> s.shift);
        out[i + 3] = saturate((a[i + 3] * s.multiplier + from_b[b[i + 3]]) >> s.shift);
    }
    for (; i < size; i++) {
        out[i] = saturate((a[i] * s.multiplier + from_b[b[i]]) >> s.shift);
    }
}

void tfkd_add_rounding_twice(int8_t *out, const int8_t *a, const int8_t *b, int32_t size,
                             const tfkd_addition *addition)
{
    const tfkd_addition s = *addition;
    const int32_t *const from_b = s.from_b + 128;
    for (int32_t i = 0; i < size; i++) {
        /* Everything is doubled, as multiply_high has it. */
        const int32_t twice_sum = a[i] * (1 << 20) + from_b[b[i]];
        out[i] = saturate_half(
            scale_twofold(twice_sum, s.multiplier, s.rounding, (uint32_t)s.shift));
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
    size_t done = 0;
#ifdef __GNUC__
    enum { BLOCK = 32 }; /* with loads and stores of several words */
    const int is_aligned = (((uintptr_t)history | step) & 3) == 0;
    for (; is_aligned && step >= BLOCK && done + BLOCK <= size; done += BLOCK) {
        int8_t *const to = __builtin_assume_aligned(history + done, 4);
        memcpy(to, __builtin_assume_aligned(to + step, 4), BLOCK);
    }
#endif
    /* Blocks of `step` bytes do not overlap, as memcpy demands. */
    for (; done < size; done += step) {
        const size_t left = size - done;
        memcpy(history + done, history + done + step, left < step ? left : step);
    }
}
