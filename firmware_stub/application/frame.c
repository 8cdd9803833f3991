/* Finds frames in a stream that may drop, flip or repeat bytes. */
#include "frame.h"
#include <string.h>

enum { HEADER = 5 };

uint32_t frame_crc(uint32_t crc, const uint8_t *bytes, uint32_t count) {
    crc = ~crc;
    for (uint32_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

static void drop(frame_parser *parser, uint32_t count) {
    /* Or every byte of a long frame would move all that came before it. */
    if (count == 0)
        return;
    parser->used -= count;
    memmove(parser->buffer, parser->buffer + count, parser->used);
}

int frame_next(frame_parser *parser, frame *found) {
    if (parser->consumed > 0) {
        drop(parser, parser->consumed);
        parser->consumed = 0;
    }
    for (;;) {
        uint32_t skipped = 0;
        while (skipped < parser->used && parser->buffer[skipped] != FRAME_MARK)
            skipped++;
        drop(parser, skipped);
        const uint8_t *bytes = parser->buffer;
        if (parser->used < HEADER)
            return 0;
        const uint32_t length = bytes[3] | (uint32_t)bytes[4] << 8;
        if (length + FRAME_OVERHEAD > parser->capacity) {
            drop(parser, 1);
            continue;
        }
        if (parser->used < length + FRAME_OVERHEAD)
            return 0;
        if (frame_get(bytes + HEADER + length) != frame_crc(0, bytes + 1, length + HEADER - 1)) {
            drop(parser, 1);
            continue;
        }
        found->type = bytes[1];
        found->sequence = bytes[2];
        found->length = length;
        found->payload = bytes + HEADER;
        parser->consumed = length + FRAME_OVERHEAD;
        return 1;
    }
}

int frame_feed(frame_parser *parser, uint8_t byte, frame *found) {
    if (parser->consumed > 0) {
        drop(parser, parser->consumed);
        parser->consumed = 0;
    }
    /* frame_next leaves at most one frame short of its end, so there is always room. */
    parser->buffer[parser->used++] = byte;
    return frame_next(parser, found);
}

uint32_t frame_header(uint8_t type, uint8_t sequence, uint32_t length, uint8_t header[5]) {
    header[0] = FRAME_MARK;
    header[1] = type;
    header[2] = sequence;
    header[3] = (uint8_t)length;
    header[4] = (uint8_t)(length >> 8);
    return frame_crc(0, header + 1, HEADER - 1);
}

uint32_t frame_get(const uint8_t *from) {
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

uint8_t *frame_put(uint8_t *to, uint32_t value, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++)
        *to++ = (uint8_t)(value >> (8 * i));
    return to;
}
