/* Denoises a 16-bit mono WAV file of the host: denoise_wav.elf IN OUT, names without spaces.
 *
 * The output has the input's length and is aligned with it: the hop by which tfkd_denoise_hop lags
 * is taken out. Prints the instructions of a hop as name=value lines.
 */
#include <stdint.h>
#include <string.h>

#include "denoiser.h"
#include "instruction_counter.h"
#include "semihosting.h"
#include "stack.h"
#include "wav.h"

static tfkd_denoiser denoiser;
static int16_t samples[TFKD_HOP];

static int fail(const char *path, const char *reason)
{
    semihosting_print(path);
    semihosting_print(" ");
    semihosting_print(reason);
    semihosting_print("\n");
    return 1;
}

int main(void)
{
    char line[512];
    wav input, output;
    uint32_t hops = 0, largest = 0;
    uint64_t total = 0;
    const char *program = semihosting_command_line(line, sizeof line) ? NULL : strtok(line, " ");
    const char *in_path = program ? strtok(NULL, " ") : NULL;
    const char *out_path = in_path ? strtok(NULL, " ") : NULL;
    if (!out_path) {
        return fail("usage:", "denoise_wav.elf IN OUT");
    }
    const char *problem = wav_open(&input, in_path);
    if (problem) {
        return fail(in_path, problem);
    }
    if (input.sample_rate != TFKD_SAMPLE_RATE) {
        return fail(in_path, "has another sample rate than the model");
    }
    problem = wav_create(&output, out_path, input.sample_rate, input.left);
    if (problem) {
        return fail(out_path, problem);
    }
    instruction_counter_start();
    tfkd_denoiser_reset(&denoiser);
    while (output.left) {
        wav_read(&input, samples, TFKD_HOP);
        const uint32_t begin = instruction_counter_begin();
        tfkd_denoise_hop(&denoiser, samples, samples);
        const uint32_t instructions = instruction_counter_end(begin);
        total += instructions;
        largest = instructions > largest ? instructions : largest;
        if (hops++ && wav_write(&output, samples, TFKD_HOP)) { /* the first hop is the lag */
            return fail(out_path, "cannot be written");
        }
    }
    semihosting_close(output.file);
    semihosting_print_number("hops", hops);
    semihosting_print_number("instructions_mean", hops ? (uint32_t)(total / hops) : 0);
    semihosting_print_number("instructions_max", largest);
    semihosting_print_number("stack_bytes", stack_bytes_used());
    return 0;
}
