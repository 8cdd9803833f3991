/* One pixel of DEPTHWISE_CONV_2D with AVX2, eight channels at a time. */
#include "kernels.h"
#include "vector.h"

void tc_depthwise_pixel(const tc_depthwise_conv_2d_parameters *parameters, const int8_t *const *taps, int8_t *output) {
    const tc_product p = parameters->product;
    int32_t channel = 0;
    for (; parameters->multiplier == 1 && channel + 8 <= p.rows; channel += 8) {
        __m256i sums = tc_load_eight(p.bias + channel);
        const int8_t *weight = p.weights + channel;
        for (int32_t tap = 0; tap < p.depth; tap++, weight += p.rows)
            sums =
                _mm256_add_epi32(sums, _mm256_mullo_epi32(tc_widen_eight(taps[tap] + channel), tc_widen_eight(weight)));
        const __m256i multipliers = tc_load_eight(p.multipliers + channel);
        sums = tc_scale_eight(sums, multipliers, tc_widen_eight(p.shifts + channel));
        tc_store_eight(sums, p.zero_point, p.low, p.high, output + channel);
    }
    tc_depthwise_channels(parameters, taps, channel, output);
}
