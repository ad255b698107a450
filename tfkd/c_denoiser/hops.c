/* What the desktop adds to an exported denoiser: the size of its state, and many hops a call. */
#include <stddef.h>

#include "denoiser.h"

size_t tfkd_denoiser_bytes(void);
void tfkd_denoise_hops(tfkd_denoiser *denoiser, const int16_t *in, int16_t *out, size_t hops);

size_t tfkd_denoiser_bytes(void)
{
    return sizeof(tfkd_denoiser);
}

void tfkd_denoise_hops(tfkd_denoiser *denoiser, const int16_t *in, int16_t *out, size_t hops)
{
    for (size_t i = 0; i < hops; ++i) {
        tfkd_denoise_hop(denoiser, in + i * TFKD_HOP, out + i * TFKD_HOP);
    }
}
