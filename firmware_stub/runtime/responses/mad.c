/* MAD: a step towards the class that turns the attacker's gradient furthest, in closed form for a constant surrogate.
 */
#include "responses.h"

void tc_respond_mad(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work) {
    const tc_respond_mad_parameters *of = parameters;
    const int32_t top = tc_first_largest(codes, classes);
    uint8_t *target = (uint8_t *)work;
    int32_t inner = 0;
    for (int32_t i = 0; i < classes; i++)
        inner += of->surrogate[i] * codes[i];
    const int32_t common = TC_TOTAL * of->squares - of->total * inner;
    int64_t smallest = INT64_MAX / 2;
    uint32_t best = 0;
    for (int32_t i = 0; i < classes; i++) {
        const int32_t along = of->total * (of->total * codes[i] - TC_TOTAL * of->surrogate[i]) + common;
        const int64_t deviation = (int64_t)along * of->inverse_norms[i];
        /* 0 or all ones, from the sign: a comparison of two words may branch. */
        const int64_t smaller = (deviation - smallest) >> 63;
        smallest ^= (smallest ^ deviation) & smaller;
        best = tc_choose((uint32_t)smaller, (uint32_t)i, best);
    }
    tc_one_hot(target, classes, (int32_t)best);
    tc_step_towards(codes, target, classes, of->units);
    if (of->keep)
        tc_keep_top(codes, classes, top);
}
