/* Files, text and exit of the host, for a program under a debugger or QEMU.
 *
 * Source: Arm, "Semihosting for AArch32 and AArch64", version 2.0.
 */
#ifndef SEMIHOSTING_H_
#define SEMIHOSTING_H_

#include <stddef.h>

typedef enum { READ_BINARY = 1, WRITE_BINARY = 5 } semihosting_mode;

/* A handle, or -1. */
int semihosting_open(const char *path, semihosting_mode mode);

/* Bytes read: fewer than `size` at the end of the file. */
size_t semihosting_read(int file, void *bytes, size_t size);

/* 0 when everything was written. */
int semihosting_write(int file, const void *bytes, size_t size);

/* 0 when the file is closed. */
int semihosting_close(int file);

/* To the host's console. */
void semihosting_print(const char *text);

/* `name=value`, one line; decimal. */
void semihosting_print_number(const char *name, unsigned long value);

/* The command line as the host gives it. 0, or -1 when it does not fit. */
int semihosting_command_line(char *text, size_t size);

/* Ends the program; the host's process exits with `status`. */
__attribute__((noreturn)) void semihosting_exit(int status);

#endif /* SEMIHOSTING_H_ */
