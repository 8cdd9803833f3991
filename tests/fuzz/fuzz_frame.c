/* The frame parser under any stream of bytes: nothing outside its buffer, nothing accepted whose checksum is wrong.
 *
 * The first byte of the input chooses the size of the buffer, the rest is the stream. */
#include "frame.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const frame_parser *parser, const frame *found) {
    const uint8_t *payload = found->payload;
    if (payload < parser->buffer || payload + found->length + 4 > parser->buffer + parser->used)
        abort();
    uint8_t header[5];
    uint32_t crc = frame_header(found->type, found->sequence, found->length, header);
    crc = frame_crc(crc, payload, found->length);
    for (uint32_t i = 0; i < 4; i++)
        if (payload[found->length + i] != (uint8_t)(crc >> (8 * i)))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    const uint32_t capacity = FRAME_OVERHEAD + data[0];
    /* On the heap, exactly as large as told: one byte too far is seen. */
    frame_parser parser = {malloc(capacity), capacity, 0, 0};
    if (!parser.buffer)
        return 0;
    frame found;
    for (size_t i = 1; i < size; i++) {
        for (int more = frame_feed(&parser, data[i], &found); more; more = frame_next(&parser, &found))
            check(&parser, &found);
        if (parser.used >= capacity)
            abort();
    }
    free(parser.buffer);
    return 0;
}
