/* One pixel of DEPTHWISE_CONV_2D in plain C: a few channels side by side, so that each tap is looked up once. */
#include "fixed_point.h"
#include "kernels.h"

#if defined(__arm__)
enum { BLOCK = 4 }; /* as many sums as fit the registers */
#else
enum { BLOCK = 16 }; /* one vector of a computer's */
#endif

void tc_depthwise_pixel(const tc_depthwise_conv_2d_parameters *parameters, const int8_t *const *taps, int8_t *output) {
    const tc_product *p = &parameters->product;
    int32_t channel = 0;
    for (; parameters->multiplier == 1 && channel + BLOCK <= p->rows; channel += BLOCK) {
        int32_t sums[BLOCK];
        for (int32_t i = 0; i < BLOCK; i++)
            sums[i] = p->bias[channel + i];
        const int8_t *weight = p->weights + channel;
        for (int32_t tap = 0; tap < p->depth; tap++, weight += p->rows) {
            const int8_t *value = taps[tap] + channel;
            for (int32_t i = 0; i < BLOCK; i++)
                sums[i] += (int16_t)(value[i] * weight[i]);
        }
        for (int32_t i = 0; i < BLOCK; i++) {
            const int32_t scaled = tc_scale(sums[i], p->multipliers[channel + i], p->shifts[channel + i]);
            output[channel + i] = (int8_t)tc_clamp(scaled + p->zero_point, p->low, p->high);
        }
    }
    tc_depthwise_channels(parameters, taps, channel, output);
}
