/* Cycles of a real core: the counter of its debug unit (M3, M4, M7, M33, M55), 32 bits. SysTick's interrupt, which comes
 * 256 times as often, sees when it begins again. The smallest cores have none, and QEMU does not emulate it. */
#include "target.h"

#define DEBUG_CONTROL (*(volatile uint32_t *)0xE000EDFCu)
#define DWT_CONTROL (*(volatile uint32_t *)0xE0001000u)
#define DWT_CYCLES (*(volatile uint32_t *)0xE0001004u)
#define DWT_LOCK (*(volatile uint32_t *)0xE0001FB0u)
#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018u)
enum { TRACE = 1 << 24, COUNT_CYCLES = 1, LONGEST = 0xFFFFFF, ENABLE_WITH_INTERRUPT = 7 };

static volatile uint32_t rounds, last;

void target_tick(void) {
    const uint32_t cycles = DWT_CYCLES;
    rounds += cycles < last;
    last = cycles;
}

void target_ticks_start(void) {
    SYSTICK_CONTROL = 0;
    DEBUG_CONTROL |= TRACE;
    DWT_LOCK = 0xC5ACCE55u; /* the M7 wants it unlocked; others ignore this */
    DWT_CONTROL |= COUNT_CYCLES;
    SYSTICK_RELOAD = LONGEST;
    SYSTICK_VALUE = 0;
    DWT_CYCLES = 0;
    rounds = last = 0;
    SYSTICK_CONTROL = ENABLE_WITH_INTERRUPT;
}

uint32_t target_ticks_now(void) {
    return DWT_CYCLES;
}

uint64_t target_ticks_since(uint32_t earlier) {
    uint32_t before, ended, cycles;
    do {
        before = last;
        ended = rounds;
        cycles = DWT_CYCLES;
    } while (before != last);
    return ((uint64_t)(ended + (cycles < before)) << 32 | cycles) - earlier;
}
