/* Copying and filling without the C library, whose small variants go byte by byte. Pointers need no alignment. */
#ifndef TINYCERB_BYTES_H
#define TINYCERB_BYTES_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_MVE) && __ARM_FEATURE_MVE
#include <arm_mve.h>

static inline void tc_copy(int8_t *to, const int8_t *from, int32_t bytes) {
    for (; bytes >= 16; bytes -= 16, to += 16, from += 16)
        vstrbq_s8(to, vldrbq_s8(from));
    if (bytes > 0) {
        const mve_pred16_t rest = vctp8q((uint32_t)bytes);
        vstrbq_p_s8(to, vldrbq_z_s8(from, rest), rest);
    }
}

static inline void tc_fill(int8_t *to, int32_t value, int32_t bytes) {
    const int8x16_t values = vdupq_n_s8((int8_t)value);
    for (; bytes > 0; bytes -= 16, to += 16)
        vstrbq_p_s8(to, values, vctp8q((uint32_t)bytes));
}

#elif defined(__ARM_FEATURE_UNALIGNED)

static inline uint32_t tc_load_word(const int8_t *from) {
    uint32_t word;
    memcpy(&word, from, 4);
    return word;
}

static inline void tc_store_word(int8_t *to, uint32_t word) {
    memcpy(to, &word, 4);
}

static inline void tc_copy(int8_t *restrict to, const int8_t *restrict from, int32_t bytes) {
    /* Four words by name: compilers put an array of them on the stack, and every word passes through memory twice. */
    for (; bytes >= 16; bytes -= 16, to += 16, from += 16) {
        const uint32_t first = tc_load_word(from), second = tc_load_word(from + 4);
        const uint32_t third = tc_load_word(from + 8), fourth = tc_load_word(from + 12);
        tc_store_word(to, first);
        tc_store_word(to + 4, second);
        tc_store_word(to + 8, third);
        tc_store_word(to + 12, fourth);
    }
    /* No loop over the rest: compilers turn one into a call of the C library's. */
    if (bytes & 8) {
        const uint32_t first = tc_load_word(from), second = tc_load_word(from + 4);
        tc_store_word(to, first);
        tc_store_word(to + 4, second);
        to += 8, from += 8;
    }
    if (bytes & 4) {
        tc_store_word(to, tc_load_word(from));
        to += 4, from += 4;
    }
    if (bytes & 2) {
        uint16_t half;
        memcpy(&half, from, 2);
        memcpy(to, &half, 2);
        to += 2, from += 2;
    }
    if (bytes & 1)
        *to = *from;
}

static inline void tc_fill(int8_t *to, int32_t value, int32_t bytes) {
    const uint32_t word = (uint32_t)(value & 0xFF) * 0x01010101u;
    for (; bytes >= 4; bytes -= 4, to += 4)
        memcpy(to, &word, 4);
    if (bytes & 2)
        memcpy(to, &word, 2);
    if (bytes & 1)
        to[bytes - 1] = (int8_t)value;
}

#else

static inline void tc_copy(int8_t *restrict to, const int8_t *restrict from, int32_t bytes) {
    memcpy(to, from, (size_t)bytes);
}

static inline void tc_fill(int8_t *to, int32_t value, int32_t bytes) {
    memset(to, value, (size_t)bytes);
}

#endif

#endif
