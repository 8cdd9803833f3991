/* What an application needs of the machine under it. */
#ifndef TINYCERB_TARGET_H
#define TINYCERB_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Ends the program: through the debugger where one listens, otherwise by standing still. */
void target_exit(int code) __attribute__((noreturn));
/* Most bytes of stack that were ever in use. */
uint32_t target_stack_used(void);

/* Ticks of the core's clock: SysTick's (ticks.c) or the debug unit's cycles (ticks_dwt.c). The hardware counts 24 or 32
 * bits; SysTick's interrupt, target_tick, counts how often it begins again. */
void target_ticks_start(void);
/* Ticks since the start, right behind it: before the hardware begins again. */
uint32_t target_ticks_now(void);
/* Ticks since a target_ticks_now, or since the start itself (0). */
uint64_t target_ticks_since(uint32_t earlier);
void target_tick(void);

/* The serial line; reading waits for a byte, ready says whether it would not. */
void serial_start(void);
int serial_ready(void);
uint8_t serial_read(void);
void serial_write(uint8_t byte);

/* Clocks and pins before main; does nothing unless a board overrides this weak function. */
void board_start(void);
/* Fills with true random bytes; returns 0 where the board has no generator. A board overrides this weak function. */
int board_random(uint8_t *bytes, size_t count);

#endif
