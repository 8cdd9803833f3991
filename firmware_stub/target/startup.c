/* From reset to main on any Cortex-M: vector table, painted stack, floating point and vectors switched on, memory. */
#include "target.h"
#include <string.h>

extern uint32_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
extern uint32_t __stack_limit[], __stack_top[];

int main(void);
void tc_reset(void);
void tc_start(void);

static void fault(void) {
    target_exit(99);
}

__attribute__((weak)) void target_tick(void) {
    fault();
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    __stack_top,
    (const void *)tc_reset,
    (const void *)fault,
    (const void *)fault,
    (const void *)fault,
    (const void *)fault,
    (const void *)fault,
    (const void *)fault,
    0,
    0,
    0,
    (const void *)fault,
    (const void *)fault,
    0,
    (const void *)fault,
    (const void *)target_tick,
};

/* Naked: it fills the stack that a C function would use. Only instructions of the smallest cores. */
__attribute__((naked)) void tc_reset(void) {
    __asm__ volatile(".syntax unified\n\t"
                     "ldr r0, =__stack_limit\n\t"
                     "ldr r1, =__stack_top\n\t"
                     "ldr r2, =0xC5C5C5C5\n"
                     "1: str r2, [r0]\n\t"
                     "adds r0, #4\n\t"
                     "cmp r0, r1\n\t"
                     "blo 1b\n\t"
                     "bl tc_start\n\t"
                     ".ltorg\n\t");
}

__attribute__((weak)) void board_start(void) {
}

__attribute__((used)) void tc_start(void) {
#if (defined(__ARM_FP) && __ARM_FP) || defined(__ARM_FEATURE_MVE)
    /* CPACR: full access to coprocessors 10 and 11, before the first instruction that needs them. */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
#ifndef __ARM_ARCH_6M__
    /* VTOR: a boot loader's own table may be at work. The smallest cores have no such register, or set it in boot2. */
    *(volatile uint32_t *)0xE000ED08u = (uint32_t)(uintptr_t)vectors;
#endif
    for (uint32_t *to = __data_start, *from = __data_load; to < __data_end;)
        *to++ = *from++;
    for (uint32_t *to = __bss_start; to < __bss_end;)
        *to++ = 0;
    board_start();
    target_exit(main());
}

uint32_t target_stack_used(void) {
    const uint32_t *word = __stack_limit;
    while (word < __stack_top && *word == 0xC5C5C5C5u)
        word++;
    return (uint32_t)((const uint8_t *)__stack_top - (const uint8_t *)word);
}
