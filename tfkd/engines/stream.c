/* What the desktop adds to an exported model: the size of its state, and many frames a call. */
#include <stddef.h>

#include "model.h"

size_t tfkd_state_bytes(void);
void tfkd_steps(tfkd_state *state, const int8_t *in, int8_t *out, size_t frames);

size_t tfkd_state_bytes(void)
{
    return sizeof(tfkd_state);
}

void tfkd_steps(tfkd_state *state, const int8_t *in, int8_t *out, size_t frames)
{
    for (size_t i = 0; i < frames; ++i) {
        tfkd_step(state, in + i * TFKD_INPUT_SIZE, out + i * TFKD_OUTPUT_SIZE);
    }
}
