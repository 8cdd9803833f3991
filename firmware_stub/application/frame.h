/* Frames on the serial line: 0xA5, type, sequence, length (two bytes, low first), payload, CRC-32 of all but the 0xA5
 * (four bytes, low first). */
#ifndef TINYCERB_FRAME_H
#define TINYCERB_FRAME_H

#include <stdint.h>

enum { FRAME_MARK = 0xA5, FRAME_OVERHEAD = 9 };

typedef struct {
    uint8_t *buffer; /* largest payload + FRAME_OVERHEAD bytes */
    uint32_t capacity;
    uint32_t used;
    uint32_t consumed; /* bytes of the frame that was given out last */
} frame_parser;

typedef struct {
    uint8_t type, sequence;
    uint32_t length;
    const uint8_t *payload; /* inside the parser's buffer, until the next byte */
} frame;

/* The CRC of zlib and PNG; begin with 0. */
uint32_t frame_crc(uint32_t crc, const uint8_t *bytes, uint32_t count);

/* Takes a byte. Returns 1 when it completes a frame whose checksum is right; whatever is not part of one is skipped.
 * After a 1 call frame_next until it returns 0: bytes that were taken for a damaged frame may hold whole ones. */
int frame_feed(frame_parser *parser, uint8_t byte, frame *found);
int frame_next(frame_parser *parser, frame *found);

/* Writes what stands before the payload (5 bytes) and returns the checksum up to there. */
uint32_t frame_header(uint8_t type, uint8_t sequence, uint32_t length, uint8_t header[5]);

/* Reads a number of four bytes, the lowest first. */
uint32_t frame_get(const uint8_t *from);

/* Writes the low bytes of a number, the lowest first; returns where the next may stand. */
uint8_t *frame_put(uint8_t *to, uint32_t value, uint32_t bytes);

#endif
