/* SysTick counts down from 2^24 - 1 at the core's clock; its interrupt counts the rounds. */
#include "target.h"

#define INTERRUPT_STATE (*(volatile uint32_t *)0xE000ED04u)
#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018u)
enum { BITS = 24, MASK = 0xFFFFFF, ENABLE_WITH_INTERRUPT = 7, SYSTICK_PENDING = 1 << 26 };

static volatile uint32_t rounds;

void target_tick(void) {
    rounds++;
}

void target_ticks_start(void) {
    SYSTICK_CONTROL = 0;
    SYSTICK_RELOAD = MASK;
    SYSTICK_VALUE = 0;
    rounds = 0;
    SYSTICK_CONTROL = ENABLE_WITH_INTERRUPT;
}

uint32_t target_ticks_now(void) {
    return (0u - SYSTICK_VALUE) & MASK;
}

uint64_t target_ticks_since(uint32_t earlier) {
    /* Read first: what is computed from it does not count. */
    const uint32_t now = target_ticks_now();
    uint32_t ended, later, pending;
    do {
        ended = rounds;
        later = target_ticks_now();
        pending = INTERRUPT_STATE & SYSTICK_PENDING;
    } while (ended != rounds);
    /* A round that has ended and whose interrupt still waits. */
    if (pending && later < MASK / 2)
        ended++;
    /* One that has ended since the first reading. */
    if (later < now)
        ended--;
    return ((uint64_t)ended << BITS | now) - earlier;
}
