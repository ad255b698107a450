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

#define HALF (TFKD_WINDOW / 2)
#define FULL_SCALE 32768.0f

static float frame[TFKD_WINDOW];
static float spectrum[TFKD_WINDOW]; /* packed as real_fft.h says */

/* Adds the power of one bin to its two bands. */
static void add_power(float power[TFKD_BANDS], int32_t bin, float re, float im)
{
    const float bin_power = re * re + im * im;
    const int32_t band = tfkd_bin_band[bin];
    power[band] += bin_power * tfkd_bin_weights[bin][0];
    power[band + 1] += bin_power * tfkd_bin_weights[bin][1];
}

static void band_power(float power[TFKD_BANDS])
{
    for (int32_t band = 0; band < TFKD_BANDS; ++band) {
        power[band] = 0.0f;
    }
    add_power(power, 0, spectrum[0], 0.0f);
    for (int32_t bin = 1; bin < HALF; ++bin) {
        add_power(power, bin, spectrum[2 * bin], spectrum[2 * bin + 1]);
    }
    add_power(power, HALF, spectrum[1], 0.0f);
}

/* The model's input for a band power: -128 + the number of thresholds that it reaches. */
static int8_t quantized_feature(float power)
{
    int32_t reached = 0, beyond = TFKD_THRESHOLDS;
    while (reached < beyond) {
        const int32_t middle = (reached + beyond) / 2;
        if (power >= tfkd_thresholds[middle]) {
            reached = middle + 1;
        } else {
            beyond = middle;
        }
    }
    return (int8_t)(reached - 128);
}

/* The mask between the centres of two bands. */
static float bin_mask(const float mask[TFKD_BANDS], int32_t bin)
{
    const int32_t band = tfkd_bin_band[bin];
    return mask[band] * tfkd_bin_weights[bin][0] + mask[band + 1] * tfkd_bin_weights[bin][1];
}

static void apply_mask(const int8_t mask_q[TFKD_BANDS])
{
    float mask[TFKD_BANDS];
    for (int32_t band = 0; band < TFKD_BANDS; ++band) {
        mask[band] = (float)(mask_q[band] - TFKD_OUTPUT_ZERO_POINT) * TFKD_OUTPUT_SCALE;
    }
    spectrum[0] *= bin_mask(mask, 0);
    spectrum[1] *= bin_mask(mask, HALF);
    for (int32_t bin = 1; bin < HALF; ++bin) {
        const float gain = bin_mask(mask, bin);
        spectrum[2 * bin] *= gain;
        spectrum[2 * bin + 1] *= gain;
    }
}

/* Rounds half away from zero and saturates. */
static int16_t to_int16(float sample)
{
    const float scaled = sample * FULL_SCALE;
    if (scaled >= (float)INT16_MAX) {
        return INT16_MAX;
    }
    if (scaled <= (float)INT16_MIN) {
        return INT16_MIN;
    }
    return (int16_t)(scaled < 0.0f ? scaled - 0.5f : scaled + 0.5f);
}

void tfkd_denoiser_reset(tfkd_denoiser *denoiser)
{
    tfkd_reset(&denoiser->model);
    memset(denoiser->previous, 0, sizeof denoiser->previous);
    for (int32_t n = 0; n < TFKD_HOP; ++n) {
        denoiser->overlap[n] = 0.0f;
    }
}

void tfkd_denoise_hop(tfkd_denoiser *denoiser, const int16_t in[TFKD_HOP], int16_t out[TFKD_HOP])
{
    float power[TFKD_BANDS];
    int8_t features_q[TFKD_BANDS], mask_q[TFKD_BANDS];

    for (int32_t n = 0; n < TFKD_HOP; ++n) {
        const int32_t m = TFKD_HOP + n;
        frame[n] = (float)denoiser->previous[n] * (1.0f / FULL_SCALE) * tfkd_sqrt_hann[n];
        frame[m] = (float)in[n] * (1.0f / FULL_SCALE) * tfkd_sqrt_hann[m];
        denoiser->previous[n] = in[n];
    }
    tfkd_real_fft(frame, spectrum);

    band_power(power);
    for (int32_t band = 0; band < TFKD_BANDS; ++band) {
        features_q[band] = quantized_feature(power[band]);
    }
    tfkd_step(&denoiser->model, features_q, mask_q);
    apply_mask(mask_q);

    tfkd_inverse_real_fft(spectrum, frame);
    for (int32_t n = 0; n < TFKD_HOP; ++n) {
        const int32_t m = TFKD_HOP + n;
        out[n] = to_int16(denoiser->overlap[n] + frame[n] * tfkd_sqrt_hann[n]);
        denoiser->overlap[n] = frame[m] * tfkd_sqrt_hann[m];
    }
}
