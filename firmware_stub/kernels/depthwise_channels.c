/* One pixel of DEPTHWISE_CONV_2D, channel by channel, for any channel multiplier. */
#include "fixed_point.h"
#include "kernels.h"

void tc_depthwise_channels(const tc_depthwise_conv_2d_parameters *parameters, const int8_t *const *taps, int32_t from,
                           int8_t *output) {
    const tc_product *p = &parameters->product;
    for (int32_t channel = from; channel < p->rows; channel++) {
        const int32_t source = parameters->multiplier == 1 ? channel : channel / parameters->multiplier;
        const int8_t *weight = p->weights + channel;
        int32_t sum = p->bias[channel];
        for (int32_t tap = 0; tap < p->depth; tap++, weight += p->rows)
            sum += taps[tap][source] * *weight;
        output[channel] = tc_to_int8(sum, p->multipliers[channel], p->shifts[channel], p->zero_point, p->low, p->high);
    }
}
