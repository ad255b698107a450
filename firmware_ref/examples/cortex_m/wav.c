/* Source: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991.
 * WAV files are little-endian, as these cores are. */
#include "wav.h"

#include <string.h>

#include "semihosting.h"

#define PCM 1U
#define EXTENSIBLE 0xFFFEU
#define FORMAT_BYTES 16U

typedef struct {
    char id[4];
    uint32_t size;
} chunk;

typedef struct {
    uint16_t format, channels;
    uint32_t sample_rate, bytes_per_second;
    uint16_t bytes_per_frame, bits_per_sample;
} format_chunk;

static int is(const char *id, const char *expected)
{
    return memcmp(id, expected, 4) == 0;
}

/* 0 when `size` bytes were skipped. */
static int skip(int file, uint32_t size)
{
    char bytes[64];
    while (size) {
        const size_t step = size < sizeof bytes ? size : sizeof bytes;
        if (semihosting_read(file, bytes, step) != step) {
            return -1;
        }
        size -= (uint32_t)step;
    }
    return 0;
}

const char *wav_open(wav *input, const char *path)
{
    chunk head;
    char wave[4];
    format_chunk format = {0};
    input->file = semihosting_open(path, READ_BINARY);
    if (input->file < 0) {
        return "cannot be opened";
    }
    if (semihosting_read(input->file, &head, sizeof head) != sizeof head || !is(head.id, "RIFF") ||
        semihosting_read(input->file, wave, sizeof wave) != sizeof wave || !is(wave, "WAVE")) {
        return "is no WAV file";
    }
    while (semihosting_read(input->file, &head, sizeof head) == sizeof head) {
        uint32_t rest = head.size + (head.size & 1U); /* chunks are padded to even sizes */
        if (is(head.id, "data")) {
            if (format.channels != 1 || format.bits_per_sample != 16 ||
                (format.format != PCM && format.format != EXTENSIBLE)) {
                return "is not 16-bit mono PCM";
            }
            input->sample_rate = format.sample_rate;
            input->left = head.size / sizeof(int16_t);
            return NULL;
        }
        if (is(head.id, "fmt ") && head.size >= FORMAT_BYTES) {
            if (semihosting_read(input->file, &format, FORMAT_BYTES) != FORMAT_BYTES) {
                break;
            }
            rest -= FORMAT_BYTES;
        }
        if (skip(input->file, rest)) {
            break;
        }
    }
    return "ends before its samples";
}

void wav_read(wav *input, int16_t *samples, size_t count)
{
    const size_t wanted = count < input->left ? count : input->left;
    const size_t bytes = semihosting_read(input->file, samples, wanted * sizeof *samples);
    const size_t read = bytes / sizeof *samples;
    memset(samples + read, 0, (count - read) * sizeof *samples);
    input->left -= (uint32_t)wanted;
}

const char *wav_create(wav *output, const char *path, uint32_t sample_rate, uint32_t count)
{
    const uint32_t bytes = count * (uint32_t)sizeof(int16_t);
    const chunk riff = {{'R', 'I', 'F', 'F'}, 4 + 2 * sizeof(chunk) + FORMAT_BYTES + bytes};
    const chunk data = {{'d', 'a', 't', 'a'}, bytes};
    const chunk format_head = {{'f', 'm', 't', ' '}, FORMAT_BYTES};
    const format_chunk format = {PCM, 1, sample_rate, sample_rate * 2, 2, 16};
    output->sample_rate = sample_rate;
    output->left = count;
    output->file = semihosting_open(path, WRITE_BINARY);
    if (output->file < 0) {
        return "cannot be created";
    }
    if (semihosting_write(output->file, &riff, sizeof riff) ||
        semihosting_write(output->file, "WAVE", 4) ||
        semihosting_write(output->file, &format_head, sizeof format_head) ||
        semihosting_write(output->file, &format, FORMAT_BYTES) ||
        semihosting_write(output->file, &data, sizeof data)) {
        return "cannot be written";
    }
    return NULL;
}

int wav_write(wav *output, const int16_t *samples, size_t count)
{
    const size_t written = count < output->left ? count : output->left;
    output->left -= (uint32_t)written;
    return semihosting_write(output->file, samples, written * sizeof *samples);
}
