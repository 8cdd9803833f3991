/* Posteriors on a coarse grid. */
#include "responses.h"

void tc_respond_rounding(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work) {
    const tc_respond_rounding_parameters *of = parameters;
    const int32_t top = tc_first_largest(codes, classes);
    uint32_t *weights = work + classes;
    for (int32_t i = 0; i < classes; i++)
        weights[i] = of->steps[codes[i]];
    weights[top] += tc_is_less(weights[top], 1) & 1u;
    tc_normalise(weights, classes, work, codes);
    tc_keep_top(codes, classes, top);
}
