/* The application on this computer: its serial line is standard input and output, and no time passes. */
#include "target.h"
#include <stdio.h>
#include <stdlib.h>

void serial_start(void) {
}

int serial_ready(void) {
    return 1;
}

uint8_t serial_read(void) {
    const int byte = getchar();
    if (byte == EOF)
        exit(fflush(stdout));
    return (uint8_t)byte;
}

void serial_write(uint8_t byte) {
    putchar(byte);
}

uint32_t target_stack_used(void) {
    return 1234;
}

void target_ticks_start(void) {
}

uint32_t target_ticks_now(void) {
    return 0;
}

uint64_t target_ticks_since(uint32_t earlier) {
    return earlier;
}
