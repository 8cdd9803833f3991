/* What passes on the serial line.
 *
 * Requests and replies are frames (frame.h); a reply has the request's type with 0x80 set and its sequence number.
 *   HELLO   -> version, selection, heads, kernels[8], input bytes (4), answer bytes (2), layers (2), hash[32]
 *   TEST    -> golden vectors (2), of them wrong (2), stack bytes (4): runs every head on every golden image
 *   ASK     image -> codes: the head is drawn here and stays secret
 *   PIECE   offset (4), at most PIECE_BYTES of an image of more than FRAME_IMAGE_BYTES -> bytes received without a gap (4);
 *           then ASK checksum of the whole image (4) -> codes. The same ASK again, with nothing in between, gets the same
 *           codes again. TEST and PROFILE take the place of a half-received image.
 *   PROFILE -> ticks of draw, inference and answer (8 each) on the first golden image; then of the same inference again,
 *              now with the clock read after every layer: ticks at the end of each and at its own end (8 each)
 *   COUNT   -> questions answered and refused since the start (4 each); only with TC_QUERY_LIMIT
 * FAILED answers a request that is none of these or has the wrong length. LIMITED answers an ASK that comes too soon:
 * seconds until the next one is answered (4). */
#ifndef PROTOCOL_H
#define PROTOCOL_H

enum { VERSION = 2, REPLY = 0x80 };
enum { HELLO = 1, TEST = 2, ASK = 3, PROFILE = 4, COUNT = 5, PIECE = 6, LIMITED = 0x7E, FAILED = 0x7F };

#endif
