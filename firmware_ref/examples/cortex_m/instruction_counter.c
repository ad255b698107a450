#include "instruction_counter.h"

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010U)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014U)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018U)

#define TICKS_MASK 0xFFFFFFU
#define LOOPS 1000000U
#define LOOP_INSTRUCTIONS (2U * LOOPS)

static uint32_t loop_ticks;
static uint32_t overhead_ticks;

/* SysTick counts down. */
static uint32_t elapsed(uint32_t begin)
{
    return (begin - SYSTICK_VALUE) & TICKS_MASK;
}

void instruction_counter_start(void)
{
    uint32_t loops = LOOPS;
    SYSTICK_RELOAD = TICKS_MASK;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = 5; /* core clock, no interrupt, enabled */
    const uint32_t first = SYSTICK_VALUE;
    overhead_ticks = elapsed(first);
    const uint32_t begin = SYSTICK_VALUE;
    __asm__ volatile(".syntax unified\n1: subs %0, %0, #1\n bne 1b" : "+l"(loops)::"cc");
    loop_ticks = elapsed(begin) - overhead_ticks;
}

uint32_t instruction_counter_begin(void)
{
    return SYSTICK_VALUE;
}

uint32_t instruction_counter_end(uint32_t begin)
{
    const uint32_t ticks = elapsed(begin);
    const uint64_t net = ticks > overhead_ticks ? ticks - overhead_ticks : 0;
    return (uint32_t)((net * LOOP_INSTRUCTIONS + loop_ticks / 2) / loop_ticks);
}
