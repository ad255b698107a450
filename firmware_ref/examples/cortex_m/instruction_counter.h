/* Counts instructions with SysTick under QEMU's `-icount shift=6,align=off,sleep=off`.
 *
 * There an instruction takes 64 ns and a tick less, so none is missed, and the count is the same in
 * every run. Up to 2^24 ticks, about 8 million instructions, fit between begin and end. QEMU models
 * no pipeline: these are instructions, not cycles.
 */
#ifndef INSTRUCTION_COUNTER_H_
#define INSTRUCTION_COUNTER_H_

#include <stdint.h>

/* Starts SysTick and calibrates it against a loop of known length. */
void instruction_counter_start(void);

uint32_t instruction_counter_begin(void);

/* Instructions since `begin`, the result of instruction_counter_begin. */
uint32_t instruction_counter_end(uint32_t begin);

#endif /* INSTRUCTION_COUNTER_H_ */
