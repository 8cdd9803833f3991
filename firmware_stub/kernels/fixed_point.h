/* The fixed-point arithmetic of TFLite's reference kernels, without branches: the same instructions for any value. */
#ifndef TINYCERB_FIXED_POINT_H
#define TINYCERB_FIXED_POINT_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#include <arm_acle.h>
#define TC_DSP 1
#endif

/* gemmlowp's SaturatingRoundingDoublingHighMul; the saturating pair (-2^31, -2^31) cannot occur here. */
static inline int32_t tc_doubling_high(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* x / 2^bits to nearest, halves away from zero; |x| below 2^30, bits 0 .. 30. */
static inline int32_t tc_round_shift(int32_t x, int32_t bits) {
    const int32_t half = (int32_t)((1u << bits) >> 1);
    /* bits == 0 has no half to take from a negative number: -bits is then 0. */
    return (x + half + ((x & -bits) >> 31)) >> bits;
}

/* x * multiplier / 2^31 * 2^shift with TFLite's double rounding.
 * The converter makes sure that |x| * 2^left stays below 2^30. */
static inline int32_t tc_scale(int32_t x, int32_t multiplier, int32_t shift) {
#ifdef TC_DSP
    const int32_t left = (int32_t)__usat(shift, 5), right = (int32_t)__usat(-shift, 5);
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"((int32_t)((uint32_t)x << left << 1)), "r"(multiplier));
    const int32_t half = (int32_t)((1u << right) >> 1);
    return (high + half + ((high & shift) >> 31)) >> right;
#else
    const int32_t sign = shift >> 31, left = shift & ~sign, right = -(shift & sign);
    return tc_round_shift(tc_doubling_high((int32_t)((uint32_t)x << left), multiplier), right);
#endif
}

/* The same where shifts go to the right only: `right` bits, 0 or more. */
static inline int32_t tc_scale_right(int32_t x, int32_t multiplier, int32_t right) {
#ifdef TC_DSP
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"((int32_t)((uint32_t)x << 1)), "r"(multiplier));
#else
    const int32_t high = tc_doubling_high(x, multiplier);
#endif
    return tc_round_shift(high, right);
}

/* Not for values near the ends of int32. */
static inline int32_t tc_clamp(int32_t x, int32_t low, int32_t high) {
    const int32_t above_low = x - low;
    const int32_t raised = low + (above_low & ~(above_low >> 31));
    const int32_t below_high = high - raised;
    return high - (below_high & ~(below_high >> 31));
}

static inline int32_t tc_max(int32_t a, int32_t b) {
    const int32_t difference = a - b;
    return b + (difference & ~(difference >> 31));
}

/* Copies without calling into the C library, whose small variant goes byte by byte. Pointers need no alignment. */
static inline void tc_copy(int8_t *restrict to, const int8_t *restrict from, int32_t bytes) {
#if defined(__ARM_FEATURE_UNALIGNED)
    while (bytes >= 16) {
        uint32_t words[4];
        memcpy(words, from, 16);
        memcpy(to, words, 16);
        from += 16;
        to += 16;
        bytes -= 16;
    }
    while (bytes >= 4) {
        uint32_t word;
        memcpy(&word, from, 4);
        memcpy(to, &word, 4);
        from += 4;
        to += 4;
        bytes -= 4;
    }
    while (bytes > 0) {
        *to++ = *from++;
        bytes--;
    }
#else
    memcpy(to, from, (size_t)bytes);
#endif
}

#endif
