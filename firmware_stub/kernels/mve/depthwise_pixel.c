/* One pixel of DEPTHWISE_CONV_2D with MVE: eight channels in 16-bit lanes, whose even and odd products are summed
 * apart; then four in 32-bit lanes. */
#include "fixed_point.h"
#include "kernels.h"
#include "vector.h"

static inline int32x4_t scale(int32x4_t x, int32x4_t multipliers, int32x4_t shifts, int32_t plain) {
    return plain ? tc_scale_four_plain(x, multipliers, shifts) : tc_scale_four(x, multipliers, shifts);
}

void tc_depthwise_pixel(const tc_depthwise_conv_2d_parameters *parameters, const int8_t *const *taps, int8_t *output) {
    const tc_product *const p = &parameters->product;
    const int32_t rows = p->rows, plain = p->plain, zero_point = p->zero_point;
    const int32x4_t low = vdupq_n_s32(p->low), high = vdupq_n_s32(p->high);
    int32_t channel = 0;
    if (parameters->multiplier != 1) {
        tc_depthwise_channels(parameters, taps, 0, output);
        return;
    }
    for (; channel + 8 <= rows; channel += 8) {
        /* vld2 parts even from odd channels, as the products are. */
        const int32x4x2_t start = vld2q_s32(p->bias + channel);
        int32x4_t even = start.val[0], odd = start.val[1];
        const int8_t *weight = p->weights + channel;
        const int8_t *const *tap = taps;
#pragma GCC unroll 1
        for (int32_t left = p->depth; left > 0; left--, weight += rows) {
            const int16x8_t x = vldrbq_s16(*tap++ + channel), w = vldrbq_s16(weight);
            even = vaddq_s32(even, vmullbq_int_s16(x, w));
            odd = vaddq_s32(odd, vmulltq_int_s16(x, w));
        }
        const int32x4x2_t factors = vld2q_s32(p->multipliers + channel);
        const int16x8_t places = vldrbq_s16(p->shifts + channel);
        even = vaddq_n_s32(scale(even, factors.val[0], vmovlbq_s16(places), plain), zero_point);
        odd = vaddq_n_s32(scale(odd, factors.val[1], vmovltq_s16(places), plain), zero_point);
        even = vminq_s32(vmaxq_s32(even, low), high);
        odd = vminq_s32(vmaxq_s32(odd, low), high);
        vstrbq_s16(output + channel, vmovntq_s32(vreinterpretq_s16_s32(even), odd));
    }
    for (; channel + 4 <= rows; channel += 4) {
        int32x4_t sums = vldrwq_s32(p->bias + channel);
        const int8_t *weight = p->weights + channel;
        const int8_t *const *tap = taps;
#pragma GCC unroll 1
        for (int32_t left = p->depth; left > 0; left--, weight += rows)
            sums = vaddq_s32(sums, vmulq_s32(vldrbq_s32(*tap++ + channel), vldrbq_s32(weight)));
        sums = scale(sums, vldrwq_s32(p->multipliers + channel), vldrbq_s32(p->shifts + channel), plain);
        vstrbq_s32(output + channel, vminq_s32(vmaxq_s32(vaddq_n_s32(sums, zero_point), low), high));
    }
    if (channel < rows)
        tc_depthwise_channels(parameters, taps, channel, output);
}
