/* The fixed-point arithmetic of TFLite's reference kernels, without branches: the same instructions for any value. */
#ifndef TINYCERB_FIXED_POINT_H
#define TINYCERB_FIXED_POINT_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_SAT)
#include <arm_acle.h>
#endif
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
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

/* The same for |x| below 2^30 on cores that have it as one instruction. */
static inline int32_t tc_doubling_high_small(int32_t x, int32_t multiplier) {
#ifdef TC_DSP
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"((int32_t)((uint32_t)x << 1)), "r"(multiplier));
    return high;
#else
    return tc_doubling_high(x, multiplier);
#endif
}

/* x * multiplier / 2^31 * 2^shift with TFLite's double rounding.
 * The converter makes sure that |x| * 2^left stays below 2^30. */
static inline int32_t tc_scale(int32_t x, int32_t multiplier, int32_t shift) {
#ifdef TC_DSP
    const int32_t left = (int32_t)__usat(shift, 5), right = (int32_t)__usat(-shift, 5);
    const int32_t high = tc_doubling_high_small((int32_t)((uint32_t)x << left), multiplier);
    const int32_t half = (int32_t)((1u << right) >> 1);
    return (high + half + ((high & shift) >> 31)) >> right;
#else
    const int32_t sign = shift >> 31, left = shift & ~sign, right = -(shift & sign);
    return tc_round_shift(tc_doubling_high((int32_t)((uint32_t)x << left), multiplier), right);
#endif
}

/* The same where shifts go to the right only: `right` bits, 0 or more. */
static inline int32_t tc_scale_right(int32_t x, int32_t multiplier, int32_t right) {
    const int32_t high = tc_doubling_high_small(x, multiplier);
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

/* Into -128 .. 127. */
static inline int32_t tc_saturate(int32_t x) {
#if defined(__ARM_FEATURE_SAT)
    int32_t y;
    __asm__("ssat %0, #8, %1" : "=r"(y) : "r"(x));
    return y;
#else
    return tc_clamp(x, -128, 127);
#endif
}

/* tc_scale, zero point and saturation where the shift goes to the right by one bit or more: rounding is then one
 * addition between two shifts. */
static inline int8_t tc_to_int8_plain(int32_t x, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t low) {
    const int32_t high = tc_doubling_high_small(x, multiplier);
    const int32_t value = zero_point + ((((high + (high >> 31)) >> ~shift) + 1) >> 1);
    return (int8_t)tc_max(tc_saturate(value), low);
}

/* The general way, kept apart: it is rare and would be inlined in many places. */
static __attribute__((noinline, unused)) int8_t tc_to_int8(int32_t x, int32_t multiplier, int32_t shift,
                                                           int32_t zero_point, int32_t low, int32_t high) {
    return (int8_t)tc_clamp(tc_scale(x, multiplier, shift) + zero_point, low, high);
}

#endif
