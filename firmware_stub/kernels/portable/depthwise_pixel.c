/* One pixel of DEPTHWISE_CONV_2D in plain C: a few channels side by side, so that each tap is looked up once. */
#include "fixed_point.h"
#include "kernels.h"

#if defined(__arm__)
enum { BLOCK = 4 }; /* as many sums as fit the registers */
#else
enum { BLOCK = 16 }; /* one vector of a computer's */
#endif

void tc_depthwise_pixel(const tc_depthwise_conv_2d_parameters *parameters, const int8_t *const *taps, int8_t *output) {
    const tc_product copy = parameters->product, *const p = &copy;
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
        const int32_t *multipliers = p->multipliers + channel;
        const int8_t *shifts = p->shifts + channel;
        if (p->plain)
            for (int32_t i = 0; i < BLOCK; i++)
                output[channel + i] = tc_to_int8_plain(sums[i], multipliers[i], shifts[i], p->zero_point, p->low);
        else
            for (int32_t i = 0; i < BLOCK; i++)
                output[channel + i] = tc_to_int8(sums[i], multipliers[i], shifts[i], p->zero_point, p->low, p->high);
    }
    if (channel < p->rows)
        tc_depthwise_channels(parameters, taps, channel, output);
}
