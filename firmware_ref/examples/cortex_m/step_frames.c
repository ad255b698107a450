/* Runs tfkd_step over a file of frames and counts its instructions.
 *
 * Reads frames.bin (int8, TFKD_INPUT_SIZE values per frame), writes masks.bin (TFKD_OUTPUT_SIZE
 * values per frame) and prints name=value lines.
 */
#include <stdint.h>

#include "instruction_counter.h"
#include "model.h"
#include "semihosting.h"
#include "stack.h"

static tfkd_state state;
static int8_t in[TFKD_INPUT_SIZE];
static int8_t out[TFKD_OUTPUT_SIZE];

int main(void)
{
    const int frames = semihosting_open("frames.bin", READ_BINARY);
    const int masks = semihosting_open("masks.bin", WRITE_BINARY);
    uint32_t hash = 2166136261U; /* FNV-1a */
    uint32_t count = 0;
    uint32_t largest = 0;
    uint64_t total = 0;
    if (frames < 0 || masks < 0) {
        semihosting_print("cannot open frames.bin or masks.bin\n");
        return 1;
    }
    instruction_counter_start();
    tfkd_reset(&state);
    while (semihosting_read(frames, in, sizeof in) == sizeof in) {
        const uint32_t begin = instruction_counter_begin();
        tfkd_step(&state, in, out);
        const uint32_t instructions = instruction_counter_end(begin);
        total += instructions;
        largest = instructions > largest ? instructions : largest;
        for (int i = 0; i < TFKD_OUTPUT_SIZE; i++) {
            hash = (hash ^ (uint8_t)out[i]) * 16777619U;
        }
        if (semihosting_write(masks, out, sizeof out)) {
            semihosting_print("cannot write masks.bin\n");
            return 1;
        }
        count++;
    }
    semihosting_close(masks);
    semihosting_print_number("frames", count);
    semihosting_print_number("hash", hash);
    semihosting_print_number("instructions_mean", count ? (uint32_t)(total / count) : 0);
    semihosting_print_number("instructions_max", largest);
    semihosting_print_number("stack_bytes", stack_bytes_used());
    return 0;
}
