/* SPDX-License-Identifier: Apache-2.0, of tfkd */
/* The Fourier transforms of the denoiser, and the place to put a vendor's.
 *
 * A spectrum of TFKD_WINDOW floats is packed as X[0], X[TFKD_WINDOW / 2] (both real), then the real
 * and imaginary part of X[1], X[2], ... This is how CMSIS-DSP packs it. To use CMSIS-DSP, leave
 * real_fft.c out of the build and add (after arm_rfft_fast_init_f32(&fft, TFKD_WINDOW) at start-up)
 *
 *     void tfkd_real_fft(float *frame, float *spectrum)
 *     {
 *         arm_rfft_fast_f32(&fft, frame, spectrum, 0);
 *     }
 *     void tfkd_inverse_real_fft(float *spectrum, float *frame)
 *     {
 *         arm_rfft_fast_f32(&fft, spectrum, frame, 1);
 *     }
 *
 * The output is then no longer the desktop's bit for bit: see docs/c-front-end.md.
 */
#ifndef TFKD_REAL_FFT_H_
#define TFKD_REAL_FFT_H_

#ifdef __cplusplus
extern "C" {
#endif

/* X[k] = sum over n of frame[n] exp(-2 pi i k n / TFKD_WINDOW). Overwrites `frame`. */
void tfkd_real_fft(float *frame, float *spectrum);

/* The inverse, 1 / TFKD_WINDOW included. Overwrites `spectrum`. */
void tfkd_inverse_real_fft(float *spectrum, float *frame);

#ifdef __cplusplus
}
#endif

#endif /* TFKD_REAL_FFT_H_ */
