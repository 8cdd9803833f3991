/* The application on this computer: its serial line is standard input and output, its clock counts its own readings. */
#include "target.h"
#include <stdio.h>
#include <stdlib.h>

void serial_start(void) {
}

int serial_ready(void) {
    return 1;
}

uint8_t serial_read(void) {
    /* Whoever asks waits for the answer. */
    fflush(stdout);
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

static uint64_t readings;

void target_ticks_start(void) {
    readings = 0;
}

/* Like a device that is slow where it restarts its clock: before a head is drawn, an inference, and an answer. */
static uint64_t ticks_to_start(void) {
    const char *told = getenv("TICKS_TO_START");
    return told ? strtoull(told, 0, 10) : 1;
}

uint32_t target_ticks_now(void) {
    readings += ticks_to_start();
    return (uint32_t)readings;
}

uint64_t target_ticks_since(uint32_t earlier) {
    return ++readings - earlier;
}
