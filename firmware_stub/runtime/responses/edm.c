/* Ensemble of diverse models: a hash network's class and confidence say which member answers. All are computed. */
#include "responses.h"

void tc_combine_edm(const void *parameters, const tc_softmax_scale *scales, const int8_t *logits, int32_t classes,
                    uint8_t *codes, uint32_t *work) {
    const tc_combine_edm_parameters *of = parameters;
    tc_posterior(&scales[of->hash], logits + of->hash * classes, classes, codes, work);
    const int32_t top = tc_first_largest(codes, classes);
    const uint32_t sure = ~tc_is_less(codes[top], (uint32_t)of->sure) & 1u;
    const int32_t member = of->members[2 * (uint32_t)top + sure];
    tc_posterior(&scales[member], logits + member * classes, classes, codes, work);
}
