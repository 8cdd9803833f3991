/* The whole application under any bytes on its serial line: requests of every kind and length, frames that break off.
 *
 * serve.c is compiled with main renamed; the line's end leaves it by longjmp. Every reply must be a whole frame. */
#include "frame.h"
#include "model.h"
#include "target.h"
#include <setjmp.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int firmware_main(void);

static const uint8_t *next, *end;
static jmp_buf line_ended;
static uint8_t said[1 << 16];
static uint32_t said_bytes, replies;

void serial_start(void) {
}

uint8_t serial_read(void) {
    if (next == end)
        longjmp(line_ended, 1);
    return *next++;
}

void serial_write(uint8_t byte) {
    static frame_parser parser = {said, sizeof said, 0, 0};
    frame found;
    said_bytes++;
    for (int more = frame_feed(&parser, byte, &found); more; more = frame_next(&parser, &found)) {
        said_bytes -= found.length + FRAME_OVERHEAD;
        replies++;
    }
}

uint32_t target_stack_used(void) {
    return 0;
}

void target_ticks_start(void) {
}

uint32_t target_ticks_now(void) {
    return 0;
}

uint64_t target_ticks_since(uint32_t earlier) {
    return earlier;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    next = data;
    end = data + size;
    replies = 0;
    if (!setjmp(line_ended))
        firmware_main();
    /* At least what it says when it boots, and nothing half-said. */
    if (replies == 0 || said_bytes != 0)
        abort();
    return 0;
}
