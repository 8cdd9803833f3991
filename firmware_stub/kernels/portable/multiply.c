/* Weights times columns in plain C: two columns by two rows at a time, so that every load serves two products.
 * Packing: row after row. */
#include "fixed_point.h"
#include "kernels.h"

static inline int8_t to_int8(const tc_product *p, int32_t row, int32_t sum) {
    if (p->plain)
        return tc_to_int8_plain(sum, p->multipliers[row], p->shifts[row], p->zero_point, p->low);
    return tc_to_int8(sum, p->multipliers[row], p->shifts[row], p->zero_point, p->low, p->high);
}

void tc_multiply_two(const tc_product *parameters, const int8_t *const columns[2], int8_t *const outputs[2],
                     void *scratch) {
    (void)scratch;
    const tc_product copy = *parameters, *const p = &copy;
    const int8_t *weights = p->weights;
    for (int32_t row = 0; row < p->rows; row += 2) {
        /* The last of an odd number of rows is computed twice. */
        const int32_t next = row + 1 < p->rows ? row + 1 : row;
        const int8_t *first = weights + row * p->depth, *second = weights + next * p->depth;
        const int8_t *left = columns[0], *right = columns[1];
        int32_t sums[4] = {p->bias[row], p->bias[next], p->bias[row], p->bias[next]};
        for (int32_t k = 0; k < p->depth; k++) {
            sums[0] += left[k] * first[k];
            sums[1] += left[k] * second[k];
            sums[2] += right[k] * first[k];
            sums[3] += right[k] * second[k];
        }
        outputs[0][row] = to_int8(p, row, sums[0]);
        outputs[0][next] = to_int8(p, next, sums[1]);
        outputs[1][row] = to_int8(p, row, sums[2]);
        outputs[1][next] = to_int8(p, next, sums[3]);
    }
}

void tc_multiply_one(const tc_product *parameters, const int8_t *column, int32_t offset, int8_t *output,
                     void *scratch) {
    (void)scratch;
    const tc_product copy = *parameters, *const p = &copy;
    for (int32_t row = 0; row < p->rows; row += 2) {
        const int32_t next = row + 1 < p->rows ? row + 1 : row;
        const int8_t *first = p->weights + row * p->depth, *second = p->weights + next * p->depth;
        int32_t sums[2] = {p->bias[row] + offset, p->bias[next] + offset};
        for (int32_t k = 0; k < p->depth; k++) {
            sums[0] += column[k] * first[k];
            sums[1] += column[k] * second[k];
        }
        output[row] = to_int8(p, row, sums[0]);
        output[next] = to_int8(p, next, sums[1]);
    }
}
