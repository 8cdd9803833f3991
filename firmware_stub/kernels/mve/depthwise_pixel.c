/* One pixel of DEPTHWISE_CONV_2D with MVE: four channels in 32-bit lanes. */
#include "fixed_point.h"
#include "kernels.h"
#include "vector.h"

static inline __attribute__((always_inline)) int32_t four_channels(const tc_product *p, const int8_t *const *taps,
                                                                   int32_t count, int8_t *output) {
    int32_t channel = 0;
    for (; channel + 4 <= p->rows; channel += 4) {
        int32x4_t sums = vldrwq_s32(p->bias + channel);
        const int8_t *weight = p->weights + channel;
#pragma GCC unroll 9
        for (int32_t tap = 0; tap < count; tap++, weight += p->rows)
            sums = vaddq_s32(sums, vmulq_s32(vldrbq_s32(taps[tap] + channel), vldrbq_s32(weight)));
        const int32x4_t multipliers = vldrwq_s32(p->multipliers + channel);
        const int32x4_t scaled = tc_scale_four(sums, multipliers, vldrbq_s32(p->shifts + channel));
        vstrbq_s32(output + channel, tc_clamp_four(vaddq_n_s32(scaled, p->zero_point), p->low, p->high));
    }
    return channel;
}

void tc_depthwise_pixel(const tc_depthwise_conv_2d_parameters *parameters, const int8_t *const *taps, int8_t *output) {
    const tc_product p = parameters->product;
    int32_t done = 0;
    if (parameters->multiplier == 1)
        done = p.depth == 9 ? four_channels(&p, taps, 9, output) : four_channels(&p, taps, p.depth, output);
    if (done < p.rows)
        tc_depthwise_channels(parameters, taps, done, output);
}
