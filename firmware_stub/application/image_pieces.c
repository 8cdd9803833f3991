/* Puts an image together from its pieces. */
#include "image_pieces.h"
#include "frame.h"
#include <string.h>

int image_pieces_take(image_pieces *pieces, const uint8_t *payload, uint32_t length) {
    if (length <= PIECE_OFFSET_BYTES)
        return 0;
    const uint32_t offset = frame_get(payload), count = length - PIECE_OFFSET_BYTES;
    if (offset > pieces->received || count > pieces->bytes - offset)
        return 0;
    memcpy(pieces->image + offset, payload + PIECE_OFFSET_BYTES, count);
    pieces->received = offset + count;
    return 1;
}

int image_pieces_whole(const image_pieces *pieces, uint32_t crc) {
    return pieces->received == pieces->bytes && frame_crc(0, pieces->image, pieces->bytes) == crc;
}
