/* Sends a reply as a frame. Part of the application's one source. */
#ifndef REPLY_H
#define REPLY_H
#include "frame.h"
#include "target.h"

static void send(uint8_t type, uint8_t sequence, const uint8_t *payload, uint32_t length) {
    uint8_t header[5];
    uint32_t crc = frame_header(type, sequence, length, header);
    for (uint32_t i = 0; i < sizeof header; i++)
        serial_write(header[i]);
    for (uint32_t i = 0; i < length; i++)
        serial_write(payload[i]);
    crc = frame_crc(crc, payload, length);
    for (uint32_t i = 0; i < 4; i++)
        serial_write((uint8_t)(crc >> (8 * i)));
}

#endif
