/* Cycles of a real core: the counter of its debug unit (M3, M4, M7, M33, M55), 32 bits. The smallest cores have none,
 * and QEMU does not emulate it. */
#include "target.h"

#define DEBUG_CONTROL (*(volatile uint32_t *)0xE000EDFCu)
#define DWT_CONTROL (*(volatile uint32_t *)0xE0001000u)
#define DWT_CYCLES (*(volatile uint32_t *)0xE0001004u)
#define DWT_LOCK (*(volatile uint32_t *)0xE0001FB0u)
enum { TRACE = 1 << 24, COUNT_CYCLES = 1 };

void target_ticks_start(void) {
    DEBUG_CONTROL |= TRACE;
    DWT_LOCK = 0xC5ACCE55u; /* the M7 wants it unlocked; others ignore this */
    DWT_CYCLES = 0;
    DWT_CONTROL |= COUNT_CYCLES;
}

uint32_t target_ticks_now(void) {
    return DWT_CYCLES;
}

uint32_t target_ticks_since(uint32_t earlier) {
    return DWT_CYCLES - earlier;
}
