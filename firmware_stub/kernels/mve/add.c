/* ADD with MVE, four values at a time; inputs that repeat by less than four go one by one. */
#include "fixed_point.h"
#include "kernels.h"
#include "vector.h"

enum { EXTRA_BITS = 20 };

void tc_add(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_elementwise_parameters p = *(const tc_elementwise_parameters *)layer->parameters;
    const int8_t *const one = layer->input, *const two = layer->second_input;
    const int32x4_t first_right = vdupq_n_s32(p.first_shift), second_right = vdupq_n_s32(p.second_shift);
    const int32x4_t right = vdupq_n_s32(p.shift);
    int32_t first = 0, second = 0, i = 0;
    /* Whole vectors as long as neither input begins anew inside one. */
    while (i + 4 <= p.count && first + 4 <= p.first_period && second + 4 <= p.second_period) {
        const int32x4_t a = vshlq_n_s32(vsubq_n_s32(vldrbq_s32(one + first), p.first_zero_point), EXTRA_BITS);
        const int32x4_t b = vshlq_n_s32(vsubq_n_s32(vldrbq_s32(two + second), p.second_zero_point), EXTRA_BITS);
        const int32x4_t sum = vaddq_s32(tc_scale_four_right(a, p.first_multiplier, first_right),
                                        tc_scale_four_right(b, p.second_multiplier, second_right));
        const int32x4_t scaled = vaddq_n_s32(tc_scale_four_right(sum, p.multiplier, right), p.zero_point);
        vstrbq_s32(layer->output + i, tc_clamp_four(scaled, p.low, p.high));
        i += 4;
        first = first + 4 == p.first_period ? 0 : first + 4;
        second = second + 4 == p.second_period ? 0 : second + 4;
    }
    for (; i < p.count; i++) {
        const int32_t a = (one[first] - p.first_zero_point) * (1 << EXTRA_BITS);
        const int32_t b = (two[second] - p.second_zero_point) * (1 << EXTRA_BITS);
        const int32_t sum =
            tc_scale(a, p.first_multiplier, p.first_shift) + tc_scale(b, p.second_multiplier, p.second_shift);
        const int32_t value = tc_scale(sum, p.multiplier, p.shift) + p.zero_point;
        layer->output[i] = (int8_t)tc_clamp(value, p.low, p.high);
        first = first + 1 == p.first_period ? 0 : first + 1;
        second = second + 1 == p.second_period ? 0 : second + 1;
    }
}
