/* grad_head: the first head's posterior, redirected by the scores of the second, whose weights are random. */
#include "responses.h"

void tc_combine_grad_head(const void *parameters, const tc_softmax_scale *scales, const int8_t *logits, int32_t classes,
                          uint8_t *codes, uint32_t *work) {
    const tc_combine_grad_head_parameters *of = parameters;
    tc_posterior(scales, logits, classes, codes, work);
    const int32_t top = tc_first_largest(codes, classes);
    tc_redirect(codes, logits + classes, classes, of->units, work);
    if (of->keep)
        tc_keep_top(codes, classes, top);
}
