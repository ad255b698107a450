/* Start-up of a Cortex-M: variables, stack, FPU, main. Any fault ends the program with status 1. */
#include <stdint.h>
#include <string.h>

#include "semihosting.h"
#include "stack.h"

extern uint32_t data_begin[], data_end[], data_source[], bss_begin[], bss_end[];
extern uint32_t stack_begin[], stack_end[];

int main(void);
void reset_handler(void);

#define COPROCESSOR_ACCESS (*(volatile uint32_t *)0xE000ED88U) /* CPACR */

#define STACK_PATTERN 0xA5A5A5A5U

static void fault_handler(void)
{
    semihosting_print("fault\n");
    semihosting_exit(1);
}

uint32_t stack_bytes_used(void)
{
    const uint32_t *lowest = stack_begin;
    while (lowest < stack_end && *lowest == STACK_PATTERN) {
        lowest++;
    }
    return (uint32_t)((const char *)stack_end - (const char *)lowest);
}

void reset_handler(void)
{
    volatile uint32_t *word = stack_begin;
    const volatile uint32_t *const here = (volatile uint32_t *)__builtin_frame_address(0);
    while (word < here - 16) {
        *word++ = STACK_PATTERN;
    }
    memcpy(data_begin, data_source, (size_t)((char *)data_end - (char *)data_begin));
    memset(bss_begin, 0, (size_t)((char *)bss_end - (char *)bss_begin));
    COPROCESSOR_ACCESS |= 0xFU << 20; /* CP10 and CP11: floating point and Helium */
    __asm__ volatile("dsb\n isb" ::: "memory");
    semihosting_exit(main());
}

typedef void (*handler)(void);

/* The first entry is the initial stack pointer. */
__attribute__((section(".vectors"), used)) static const union {
    uint32_t *stack;
    handler handle;
} vectors[16] = {
    {.stack = stack_end},
    {.handle = reset_handler},
    {.handle = fault_handler}, /* NMI */
    {.handle = fault_handler}, /* HardFault */
    {.handle = fault_handler}, /* MemManage */
    {.handle = fault_handler}, /* BusFault */
    {.handle = fault_handler}, /* UsageFault */
    {.handle = fault_handler}, /* SecureFault */
};
