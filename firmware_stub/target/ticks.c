/* SysTick counts down from 2^24 - 1 at the core's clock, without interrupts. */
#include "target.h"

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018u)
enum { MASK = 0xFFFFFF };

void target_ticks_start(void) {
    SYSTICK_CONTROL = 0;
    SYSTICK_RELOAD = MASK;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = 5;
}

uint32_t target_ticks_now(void) {
    return (0u - SYSTICK_VALUE) & MASK;
}

uint32_t target_ticks_since(uint32_t earlier) {
    return (target_ticks_now() - earlier) & MASK;
}
