/* SPDX-License-Identifier: Apache-2.0, of tfkd */
/* The whole denoiser: TFKD_HOP samples in, TFKD_HOP samples out. */
#ifndef TFKD_DENOISER_H_
#define TFKD_DENOISER_H_

#include <stdint.h>

#include "front_end.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one audio channel remembers from hop to hop. All channels share the work buffers of
 * denoiser.c, 8 * (TFKD_WINDOW + 1) bytes, and of the model, TFKD_WORK_SIZE bytes. */
typedef struct {
    tfkd_state model;
    int16_t previous[TFKD_HOP];
    float overlap[TFKD_HOP];
    /* Yours to set between two hops: the gain, 0 to 1, where the model finds nothing but noise. At
     * 0.25 nothing loses more than 12 dB, at 1 nothing changes. */
    float least_gain;
} tfkd_denoiser;

/* Begins a recording: call it before the first hop. It sets the least gain to TFKD_LEAST_GAIN. */
void tfkd_denoiser_reset(tfkd_denoiser *denoiser);

/* Denoises the next hop of a signal of TFKD_SAMPLE_RATE Hz. The output lags by one hop, and its
 * first hop is silence; with the hop that must be filled first that is a latency of TFKD_WINDOW
 * samples. `in` and `out` may be the same array. Not reentrant: calls must not interrupt each
 * other, for they share work buffers. */
void tfkd_denoise_hop(tfkd_denoiser *denoiser, const int16_t in[TFKD_HOP], int16_t out[TFKD_HOP]);

#ifdef __cplusplus
}
#endif

#endif /* TFKD_DENOISER_H_ */
