/* Weights times columns with MVE: four rows, sixteen products per instruction (Cortex-M55).
 * Packing: groups of four rows, sixteen weights of each in turn (the last chunk may be shorter); leftover rows follow
 * as they are. */
#include "fixed_point.h"
#include "kernels.h"
#include "vector.h"

static void one_column(const tc_product *p, const int8_t *column, int32_t offset, int8_t *output) {
    const int32_t chunks = p->depth >> 4, rest = p->depth & 15;
    const mve_pred16_t tail = vctp8q((uint32_t)rest);
    const int8_t *weights = p->weights;
    int32_t row = 0;
    for (; row + 4 <= p->rows; row += 4) {
        int32_t a = 0, b = 0, c = 0, d = 0;
        const int8_t *x = column;
        if (chunks > 0)
            __asm__ volatile("dls lr, %[chunks]\n"
                             "1:\n\t"
                             "vldrb.8 q0, [%[x]], #16\n\t"
                             "vldrb.8 q1, [%[w]], #16\n\t"
                             "vmladava.s8 %[a], q0, q1\n\t"
                             "vldrb.8 q2, [%[w]], #16\n\t"
                             "vmladava.s8 %[b], q0, q2\n\t"
                             "vldrb.8 q1, [%[w]], #16\n\t"
                             "vmladava.s8 %[c], q0, q1\n\t"
                             "vldrb.8 q2, [%[w]], #16\n\t"
                             "vmladava.s8 %[d], q0, q2\n\t"
                             "le lr, 1b\n\t"
                             : [a] "+Te"(a), [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d), [x] "+r"(x), [w] "+r"(weights)
                             : [chunks] "r"(chunks)
                             : "lr", "d0", "d1", "d2", "d3", "d4", "d5", "memory");
        if (rest > 0) {
            const int8x16_t values = vldrbq_z_s8(x, tail);
            a = vmladavaq_p_s8(a, values, vldrbq_z_s8(weights, tail), tail);
            b = vmladavaq_p_s8(b, values, vldrbq_z_s8(weights + rest, tail), tail);
            c = vmladavaq_p_s8(c, values, vldrbq_z_s8(weights + 2 * rest, tail), tail);
            d = vmladavaq_p_s8(d, values, vldrbq_z_s8(weights + 3 * rest, tail), tail);
            weights += 4 * rest;
        }
        int32x4_t sums = vaddq_n_s32(vldrwq_s32(p->bias + row), offset);
        const int32x4_t products = {a, b, c, d};
        sums = vaddq_s32(sums, products);
        const int32x4_t scaled = tc_scale_four(sums, vldrwq_s32(p->multipliers + row), vldrbq_s32(p->shifts + row));
        vstrbq_s32(output + row, tc_clamp_four(vaddq_n_s32(scaled, p->zero_point), p->low, p->high));
    }
    for (; row < p->rows; row++, weights += p->depth) {
        int32_t sum = p->bias[row] + offset;
        for (int32_t k = 0; k < p->depth; k += 16) {
            const mve_pred16_t inside = vctp8q((uint32_t)(p->depth - k));
            sum = vmladavaq_p_s8(sum, vldrbq_z_s8(column + k, inside), vldrbq_z_s8(weights + k, inside), inside);
        }
        const int32_t scaled = tc_scale(sum, p->multipliers[row], p->shifts[row]) + p->zero_point;
        output[row] = (int8_t)tc_clamp(scaled, p->low, p->high);
    }
}

void tc_multiply_two(const tc_product *parameters, const int8_t *const columns[2], int8_t *const outputs[2],
                     void *scratch) {
    (void)scratch;
    const tc_product p = *parameters;
    one_column(&p, columns[0], 0, outputs[0]);
    one_column(&p, columns[1], 0, outputs[1]);
}

void tc_multiply_one(const tc_product *parameters, const int8_t *column, int32_t offset, int8_t *output,
                     void *scratch) {
    (void)scratch;
    const tc_product p = *parameters;
    one_column(&p, column, offset, output);
}
