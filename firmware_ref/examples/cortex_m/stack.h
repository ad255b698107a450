/* How deep the stack went: startup.c fills it with a pattern. */
#ifndef STACK_H_
#define STACK_H_

#include <stdint.h>

/* Bytes of the stack that were written since the start. */
uint32_t stack_bytes_used(void);

#endif /* STACK_H_ */
