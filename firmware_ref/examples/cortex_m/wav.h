/* 16-bit mono PCM files (RIFF WAVE) on the host. */
#ifndef WAV_H_
#define WAV_H_

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int file;
    uint32_t sample_rate; /* Hz */
    uint32_t left;        /* samples still to be read or written */
} wav;

/* Opens a file to be read. NULL, or what is wrong with it. */
const char *wav_open(wav *input, const char *path);

/* Reads `count` samples, zeros behind the end of the file. */
void wav_read(wav *input, int16_t *samples, size_t count);

/* Creates a file of `count` samples. NULL, or what went wrong. */
const char *wav_create(wav *output, const char *path, uint32_t sample_rate, uint32_t count);

/* Writes up to `count` samples, none beyond what wav_create announced. 0 when they are written. */
int wav_write(wav *output, const int16_t *samples, size_t count);

#endif /* WAV_H_ */
