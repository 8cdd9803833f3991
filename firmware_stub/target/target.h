/* What an application needs of the machine under it. */
#ifndef TINYCERB_TARGET_H
#define TINYCERB_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Ends the program: through the debugger where one listens, otherwise by standing still. */
void target_exit(int code) __attribute__((noreturn));
/* Most bytes of stack that were ever in use. */
uint32_t target_stack_used(void);

/* A counter of clock ticks: SysTick with 24 bits (ticks.c) or the debug unit's cycles with 32 (ticks_dwt.c). */
void target_ticks_start(void);
uint32_t target_ticks_since(uint32_t earlier);
uint32_t target_ticks_now(void);

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
