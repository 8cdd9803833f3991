/* NTM: the posterior through a fixed noise transition matrix. */
#include "responses.h"

void tc_respond_ntm(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work) {
    const tc_respond_ntm_parameters *of = parameters;
    const int32_t top = tc_first_largest(codes, classes);
    uint32_t *weights = work + classes;
    for (int32_t told = 0; told < classes; told++) {
        uint32_t sum = 0;
        for (int32_t i = 0; i < classes; i++)
            sum += (uint32_t)codes[i] * of->matrix[i * classes + told];
        /* Products of two codes have 16 bits, weights 11. */
        weights[told] = (sum + 16) >> 5;
    }
    tc_normalise(weights, classes, work, codes);
    if (of->keep)
        tc_keep_top(codes, classes, top);
}
