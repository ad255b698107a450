/* SPDX-License-Identifier: Apache-2.0, of tfkd */
/* Window, transform, band features, model, band mask, inverse transform, overlap-add.
 *
 * It performs the operations of tfkd/frontend.py and tfkd/enhance.py in the same order, in float32,
 * so that both give the same bits. Of the C library it needs memset alone; there is no logarithm,
 * for a feature is found among the band powers at which it steps.
 */
#include "denoiser.h"

#include <string.h>

#include "real_fft.h"

#include "float32.h"

#if TFKD_INPUT_SIZE != TFKD_BANDS || TFKD_OUTPUT_SIZE != TFKD_BANDS
#error "model.h and front_end.h belong to different models."
#endif

/* Samples keep the unit of int16, so band powers are 2^30 times the desktop's: exact in float. */
static float frame[TFKD_WINDOW];
static float spectrum[TFKD_WINDOW + 2]; /* real and imaginary part of every bin */

/* Sums the powers of the bins into bands; those that are not heard get that of the last that is. */
static void band_power(float power[TFKD_BANDS])
{
    float lower = 0.0f; /* the sum of a band, and what its bins give to the next one */
    for (int32_t band = 0; band < TFKD_BANDS - 1; ++band) {
        float upper = 0.0f;
        for (int32_t bin = tfkd_first_bin[band]; bin < tfkd_first_bin[band + 1]; ++bin) {
            const float re = spectrum[2 * bin], im = spectrum[2 * bin + 1];
            const float bin_power = re * re + im * im;
            lower += bin_power * tfkd_bin_weights[bin][0];
            upper += bin_power * tfkd_bin_weights[bin][1];
        }
        power[band] = lower;
        lower = upper;
    }
    power[TFKD_BANDS - 1] = lower;
    for (int32_t band = TFKD_HEARD_BANDS; band < TFKD_BANDS; ++band) {
        power[band] = power[TFKD_HEARD_BANDS - 1];
    }
}

/* The model's input for a band power: -128 + the number of thresholds, of 255, that it reaches. The
 * bits of a float, exponent before mantissa, grow about as its logarithm does: they give a number
 * that is right or nearly so. */
static int8_t quantized_feature(float power)
{
    uint32_t bits;
    memcpy(&bits, &power, sizeof bits);
    int32_t reached = ((int32_t)(bits >> 16) - TFKD_LOWEST_POWER) * TFKD_FEATURE_STEP >> 16;
    reached = reached < 0 ? 0 : reached > TFKD_THRESHOLDS ? TFKD_THRESHOLDS : reached;
    while (reached < TFKD_THRESHOLDS && power >= tfkd_thresholds[reached]) {
        ++reached;
    }
    while (reached > 0 && power < tfkd_thresholds[reached - 1]) {
        --reached;
    }
    return (int8_t)(reached - 128);
}

/* From the least gain, where the mask is 0, to 1. */
static float gain_of(int8_t mask_q, float least_gain)
{
    const float mask = (float)(mask_q - TFKD_OUTPUT_ZERO_POINT) * TFKD_OUTPUT_SCALE;
    return least_gain + (1.0f - least_gain) * mask;
}

/* Multiplies every bin with the gains, interpolated between the centres of two bands. */
static void apply_mask(const int8_t mask_q[TFKD_BANDS], float least_gain)
{
    float lower = gain_of(mask_q[0], least_gain);
    for (int32_t band = 0; band < TFKD_BANDS - 1; ++band) {
        const float upper = gain_of(mask_q[band + 1], least_gain);
        for (int32_t bin = tfkd_first_bin[band]; bin < tfkd_first_bin[band + 1]; ++bin) {
            const float gain =
                lower * tfkd_bin_weights[bin][0] + upper * tfkd_bin_weights[bin][1];
            spectrum[2 * bin] *= gain;
            spectrum[2 * bin + 1] *= gain;
        }
        lower = upper;
    }
}

/* Rounds half away from zero and saturates. */
static int16_t to_int16(float sample)
{
    const int is_negative = sample < 0.0f;
    const float magnitude = (is_negative ? -sample : sample) + 0.5f;
    if (magnitude < (float)INT16_MAX + 1.0f) {
        const int32_t rounded = (int32_t)magnitude;
        return (int16_t)(is_negative ? -rounded : rounded);
    }
    return is_negative ? INT16_MIN : INT16_MAX;
}

void tfkd_denoiser_reset(tfkd_denoiser *denoiser)
{
    tfkd_reset(&denoiser->model);
    memset(denoiser->previous, 0, sizeof denoiser->previous);
    for (int32_t n = 0; n < TFKD_HOP; ++n) {
        denoiser->overlap[n] = 0.0f;
    }
    denoiser->least_gain = TFKD_LEAST_GAIN;
}

void tfkd_denoise_hop(tfkd_denoiser *denoiser, const int16_t in[TFKD_HOP], int16_t out[TFKD_HOP])
{
    float power[TFKD_BANDS];
    int8_t features_q[TFKD_BANDS], mask_q[TFKD_BANDS];

    for (int32_t n = 0; n < TFKD_HOP; ++n) {
        frame[n] = (float)denoiser->previous[n] * tfkd_sqrt_hann[n];
        frame[TFKD_HOP + n] = (float)in[n] * tfkd_sqrt_hann[TFKD_HOP + n];
        denoiser->previous[n] = in[n];
    }
    tfkd_real_fft(frame, spectrum);
    /* The last bin is packed into the first one; both are real. */
    spectrum[TFKD_WINDOW] = spectrum[1];
    spectrum[TFKD_WINDOW + 1] = 0.0f;
    spectrum[1] = 0.0f;

    band_power(power);
    for (int32_t band = 0; band < TFKD_BANDS; ++band) {
        features_q[band] = quantized_feature(power[band]);
    }
    tfkd_step(&denoiser->model, features_q, mask_q);
    apply_mask(mask_q, denoiser->least_gain);

    spectrum[1] = spectrum[TFKD_WINDOW];
    tfkd_inverse_real_fft(spectrum, frame);
    for (int32_t n = 0; n < TFKD_HOP; ++n) {
        out[n] = to_int16(denoiser->overlap[n] + frame[n] * tfkd_sqrt_hann[n]);
        denoiser->overlap[n] = frame[TFKD_HOP + n] * tfkd_sqrt_hann[TFKD_HOP + n];
    }
}
