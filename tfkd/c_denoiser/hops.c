/* What the desktop adds to an exported denoiser: its state's size and setting, and many hops a
 * call. */
#include <stddef.h>

#include "denoiser.h"

size_t tfkd_denoiser_bytes(void);
void tfkd_denoiser_limit(tfkd_denoiser *denoiser, float least_gain);
void tfkd_denoise_hops(tfkd_denoiser *denoiser, const int16_t *in, int16_t *out, size_t hops);

size_t tfkd_denoiser_bytes(void)
{
    return sizeof(tfkd_denoiser);
}

void tfkd_denoiser_limit(tfkd_denoiser *denoiser, float least_gain)
{
    denoiser->least_gain = least_gain;
}

void tfkd_denoise_hops(tfkd_denoiser *denoiser, const int16_t *in, int16_t *out, size_t hops)
{
    for (size_t i = 0; i < hops; ++i) {
        tfkd_denoise_hop(denoiser, in + i * TFKD_HOP, out + i * TFKD_HOP);
    }
}
