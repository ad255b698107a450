#include "semihosting.h"

#include <stdint.h>
#include <string.h>

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20
};

#define ADP_STOPPED_APPLICATION_EXIT 0x20026U

static int call(int operation, const void *arguments)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

int semihosting_open(const char *path, semihosting_mode mode)
{
    const uintptr_t arguments[] = {(uintptr_t)path, (uintptr_t)mode, strlen(path)};
    return call(SYS_OPEN, arguments);
}

size_t semihosting_read(int file, void *bytes, size_t size)
{
    const uintptr_t arguments[] = {(uintptr_t)file, (uintptr_t)bytes, size};
    return size - (size_t)call(SYS_READ, arguments);
}

int semihosting_write(int file, const void *bytes, size_t size)
{
    const uintptr_t arguments[] = {(uintptr_t)file, (uintptr_t)bytes, size};
    return call(SYS_WRITE, arguments);
}

int semihosting_close(int file)
{
    const uintptr_t arguments[] = {(uintptr_t)file};
    return call(SYS_CLOSE, arguments);
}

void semihosting_print(const char *text)
{
    call(SYS_WRITE0, text);
}

void semihosting_print_number(const char *name, unsigned long value)
{
    char line[64];
    char digits[24];
    size_t end = strlen(name);
    size_t count = 0;
    if (end > 32) {
        end = 32;
    }
    memcpy(line, name, end);
    line[end++] = '=';
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count) {
        line[end++] = digits[--count];
    }
    line[end++] = '\n';
    line[end] = '\0';
    semihosting_print(line);
}

int semihosting_command_line(char *text, size_t size)
{
    uintptr_t arguments[] = {(uintptr_t)text, size};
    return call(SYS_GET_CMDLINE, arguments);
}

void semihosting_exit(int status)
{
    const uintptr_t arguments[] = {ADP_STOPPED_APPLICATION_EXIT, (uintptr_t)status};
    call(SYS_EXIT_EXTENDED, arguments);
    for (;;) {
    }
}
