/* MUL: the product of the values above their zero points, requantized. */
#include "fixed_point.h"
#include "kernels.h"

void tc_mul(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_elementwise_parameters p = *(const tc_elementwise_parameters *)layer->parameters;
    int32_t first = 0, second = 0;
    for (int32_t i = 0; i < p.count; i++) {
        const int32_t product =
            (layer->input[first] - p.first_zero_point) * (layer->second_input[second] - p.second_zero_point);
        const int32_t value = tc_scale(product, p.multiplier, p.shift) + p.zero_point;
        layer->output[i] = (int8_t)tc_clamp(value, p.low, p.high);
        first = first + 1 == p.first_period ? 0 : first + 1;
        second = second + 1 == p.second_period ? 0 : second + 1;
    }
}
