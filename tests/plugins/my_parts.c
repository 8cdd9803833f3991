#include "responses.h"

typedef struct {
    int32_t label;
} my_halves_parameters;

void my_halves(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work) {
    const my_halves_parameters *of = parameters;
    const int32_t top = tc_first_largest(codes, classes);
    const int32_t each = (TC_TOTAL - of->label) / (classes - 1);
    (void)work;
    for (int32_t i = 0; i < classes; i++)
        codes[i] = (uint8_t)(i == top ? TC_TOTAL - each * (classes - 1) : each);
}
