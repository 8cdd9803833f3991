/* Adaptive misinformation: a second network answers where the first one is unsure. Both are always computed. */
#include "responses.h"

void tc_combine_am(const void *parameters, const tc_softmax_scale *scales, const int8_t *logits, int32_t classes,
                   uint8_t *codes, uint32_t *work) {
    const tc_combine_am_parameters *of = parameters;
    uint8_t *misinformation = (uint8_t *)(work + 2 * classes);
    tc_posterior(scales, logits, classes, codes, work);
    tc_posterior(scales + 1, logits + classes, classes, misinformation, work);
    const uint32_t unsure = tc_is_less(codes[tc_first_largest(codes, classes)], (uint32_t)of->threshold);
    for (int32_t i = 0; i < classes; i++)
        codes[i] = (uint8_t)tc_choose(unsure, misinformation[i], codes[i]);
}
