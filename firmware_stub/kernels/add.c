/* ADD: both inputs are brought to a common scale with 20 extra bits, added, and requantized. */
#include "fixed_point.h"
#include "kernels.h"

enum { EXTRA_BITS = 20 };

static inline int8_t add_one(const tc_elementwise_parameters *p, int32_t first, int32_t second) {
    const int32_t a = (first - p->first_zero_point) * (1 << EXTRA_BITS);
    const int32_t b = (second - p->second_zero_point) * (1 << EXTRA_BITS);
    const int32_t sum = tc_scale_right(a, p->first_multiplier, -p->first_shift) +
                        tc_scale_right(b, p->second_multiplier, -p->second_shift);
    const int32_t value = tc_scale_right(sum, p->multiplier, -p->shift) + p->zero_point;
    return (int8_t)tc_clamp(value, p->low, p->high);
}

void tc_add(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_elementwise_parameters p = *(const tc_elementwise_parameters *)layer->parameters;
    const int8_t *one = layer->input, *two = layer->second_input;
    int8_t *output = layer->output;
    if (p.first_period == p.count && p.second_period == p.count) {
        for (const int8_t *const end = output + p.count; output < end;)
            *output++ = add_one(&p, *one++, *two++);
        return;
    }
    int32_t first = 0, second = 0;
    for (int32_t i = 0; i < p.count; i++) {
        output[i] = add_one(&p, one[first], two[second]);
        first = first + 1 == p.first_period ? 0 : first + 1;
        second = second + 1 == p.second_period ? 0 : second + 1;
    }
}
