/* MEAN over height and width, requantized to the output's scale. */
#include "fixed_point.h"
#include "kernels.h"

void tc_mean(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_mean_parameters p = *(const tc_mean_parameters *)layer->parameters;
    for (int32_t channel = 0; channel < p.channels; channel++) {
        const int8_t *value = layer->input + channel;
        int32_t sum = p.offset;
        for (int32_t position = 0; position < p.positions; position++, value += p.channels)
            sum += *value;
        layer->output[channel] = (int8_t)tc_clamp(tc_scale(sum, p.multiplier, p.shift) + p.zero_point, -128, 127);
    }
}
