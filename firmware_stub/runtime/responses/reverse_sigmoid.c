/* RS and DCP: reverse-sigmoid noise, behind a gate and within a budget. What a closed gate holds back is computed, too.
 */
#include "responses.h"

void tc_respond_reverse_sigmoid(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work) {
    const tc_respond_reverse_sigmoid_parameters *of = parameters;
    const int32_t top = tc_first_largest(codes, classes);
    const uint32_t open = tc_is_less(codes[top], (uint32_t)of->threshold);
    uint32_t *weights = work + classes;
    uint8_t *noisy = (uint8_t *)(work + 2 * classes);
    for (int32_t i = 0; i < classes; i++)
        weights[i] = tc_choose(open, of->weights[codes[i]], codes[i]);
    tc_normalise(weights, classes, work, noisy);
    tc_step_towards(codes, noisy, classes, of->units);
    if (of->keep)
        tc_keep_top(codes, classes, top);
}
