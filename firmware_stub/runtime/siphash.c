/* SipHash-2-4: a keyed hash for short inputs (Aumasson and Bernstein, 2012). */
#include "tinycerb.h"

static uint64_t rotate(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t v[4], int count) {
    for (int i = 0; i < count; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t little_endian(const uint8_t *bytes, size_t count) {
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

uint64_t tc_siphash(const uint8_t *key, const uint8_t *message, size_t count) {
    const uint64_t low = little_endian(key, 8), high = little_endian(key + 8, 8);
    uint64_t v[4] = {low ^ 0x736f6d6570736575u, high ^ 0x646f72616e646f6du, low ^ 0x6c7967656e657261u,
                     high ^ 0x7465646279746573u};
    const size_t whole = count & ~(size_t)7;
    for (size_t at = 0; at < whole; at += 8) {
        const uint64_t word = little_endian(message + at, 8);
        v[3] ^= word;
        rounds(v, 2);
        v[0] ^= word;
    }
    const uint64_t last = little_endian(message + whole, count - whole) | (uint64_t)(count & 0xFF) << 56;
    v[3] ^= last;
    rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xFF;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
