/* Requantization of four sums at a time (Cortex-M55's MVE). */
#ifndef TINYCERB_VECTOR_H
#define TINYCERB_VECTOR_H

#include <arm_mve.h>
#include <stdint.h>

/* tc_scale of fixed_point.h for four values with a multiplier and shift each. */
static inline int32x4_t tc_scale_four(int32x4_t x, int32x4_t multipliers, int32x4_t shifts) {
    const int32x4_t left = vmaxq_s32(shifts, vdupq_n_s32(0)), right = vminq_s32(shifts, vdupq_n_s32(0));
    const int32x4_t high = vqrdmulhq_s32(vshlq_s32(x, left), multipliers);
    return vrshlq_s32(vqaddq_s32(high, vshrq_n_s32(vandq_s32(high, right), 31)), right);
}

/* The same where every shift goes to the right by one bit or more. */
static inline int32x4_t tc_scale_four_plain(int32x4_t x, int32x4_t multipliers, int32x4_t shifts) {
    const int32x4_t high = vqrdmulhq_s32(x, multipliers);
    return vrshlq_s32(vaddq_s32(high, vshrq_n_s32(high, 31)), shifts);
}

/* Four core registers as one vector. */
static inline int32x4_t tc_gather_four(int32_t a, int32_t b, int32_t c, int32_t d) {
    int32x4_t v;
    __asm__("vmov %e0, %1, %2\n\tvmov %f0, %3, %4" : "=&w"(v) : "r"(a), "r"(b), "r"(c), "r"(d));
    return v;
}

/* The same with one multiplier for all and a shift to the right only (0 or negative). */
static inline int32x4_t tc_scale_four_right(int32x4_t x, int32_t multiplier, int32x4_t right) {
    const int32x4_t high = vqrdmulhq_n_s32(x, multiplier);
    return vrshlq_s32(vqaddq_s32(high, vshrq_n_s32(vandq_s32(high, right), 31)), right);
}

static inline int32x4_t tc_clamp_four(int32x4_t x, int32_t low, int32_t high) {
    return vminq_s32(vmaxq_s32(x, vdupq_n_s32(low)), vdupq_n_s32(high));
}

#endif
