/* An image that is longer than a frame may be, put together where the model reads it. */
#ifndef TINYCERB_IMAGE_PIECES_H
#define TINYCERB_IMAGE_PIECES_H

#include <stdint.h>

/* Larger images come in pieces of at most PIECE_BYTES. A build may choose smaller ones, for tests. */
#ifndef FRAME_IMAGE_BYTES
#define FRAME_IMAGE_BYTES 4096
#endif
#ifndef PIECE_BYTES
#define PIECE_BYTES 1024
#endif
/* Where a piece begins, low byte first, stands before it. */
enum { PIECE_OFFSET_BYTES = 4 };

typedef struct {
    uint8_t *image;
    uint32_t bytes;
    uint32_t received; /* from the first byte on without a gap */
} image_pieces;

/* Takes the payload of a frame. Pieces come in order; one that comes again goes on from there, the first one begins an
 * image. Returns 0, and changes nothing, where a piece is empty, leaves a gap or passes the end. */
int image_pieces_take(image_pieces *pieces, const uint8_t *payload, uint32_t length);
/* Whether the image is whole and has this checksum (frame_crc). */
int image_pieces_whole(const image_pieces *pieces, uint32_t crc);

#endif
