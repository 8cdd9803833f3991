/* ARM semihosting: BKPT 0xAB with the operation in r0 and a block of words in r1. */
#include "semihosting.h"
#include "target.h"
#include <string.h>

enum { OPEN = 0x01, CLOSE = 0x02, WRITE0 = 0x04, WRITE = 0x05, READ = 0x06, SEEK = 0x0A, LENGTH = 0x0C, EXIT_EXTENDED = 0x20 };

static uint32_t call(uint32_t operation, const void *block) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

int semihosting_open(const char *name, int mode) {
    const uint32_t block[3] = {(uint32_t)name, (uint32_t)mode, (uint32_t)strlen(name)};
    return (int)call(OPEN, block);
}

void semihosting_close(int handle) {
    const uint32_t block[1] = {(uint32_t)handle};
    call(CLOSE, block);
}

uint32_t semihosting_length(int handle) {
    const uint32_t block[1] = {(uint32_t)handle};
    return call(LENGTH, block);
}

int semihosting_seek(int handle, uint32_t position) {
    const uint32_t block[2] = {(uint32_t)handle, position};
    return (int)call(SEEK, block);
}

uint32_t semihosting_read(int handle, void *to, uint32_t bytes) {
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)to, bytes};
    return call(READ, block);
}

uint32_t semihosting_write(int handle, const void *from, uint32_t bytes) {
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)from, bytes};
    return call(WRITE, block);
}

void semihosting_print(const char *text) {
    call(WRITE0, text);
}

void target_exit(int code) {
    const uint32_t block[2] = {0x20026, (uint32_t)code};
    call(EXIT_EXTENDED, block);
    for (;;) {
    }
}
