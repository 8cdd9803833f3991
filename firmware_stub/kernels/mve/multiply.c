/* Weights times columns with MVE: four rows, sixteen products per instruction (Cortex-M55).
 * Packing: groups of four rows, sixteen weights of each in turn (the last chunk may be shorter); leftover rows follow
 * as they are. */
#include "fixed_point.h"
#include "kernels.h"
#include "vector.h"

static void one_column(const tc_product *p, const int8_t *column, int32_t offset, int8_t *output) {
    const int32_t chunks = p->depth >> 4, rest = p->depth & 15, plain = p->plain;
    const mve_pred16_t tail = vctp8q((uint32_t)rest);
    const int32x4_t zero_point = vdupq_n_s32(p->zero_point);
    const int32x4_t low = vdupq_n_s32(p->low), high = vdupq_n_s32(p->high);
    const int8_t *weights = p->weights, *shifts = p->shifts;
    const int32_t *bias = p->bias, *multipliers = p->multipliers;
    int8_t *to = output;
    for (int32_t groups = p->rows >> 2; groups > 0; groups--) {
        int32_t a = bias[0], b = bias[1], c = bias[2], d = bias[3];
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
            a = vmladavaq_s8(a, values, vldrbq_z_s8(weights, tail));
            b = vmladavaq_s8(b, values, vldrbq_z_s8(weights + rest, tail));
            c = vmladavaq_s8(c, values, vldrbq_z_s8(weights + 2 * rest, tail));
            d = vmladavaq_s8(d, values, vldrbq_z_s8(weights + 3 * rest, tail));
            weights += 4 * rest;
        }
        const int32x4_t sums = vaddq_n_s32(tc_gather_four(a, b, c, d), offset);
        int32x4_t scaled;
        if (plain)
            scaled = tc_scale_four_plain(sums, vldrwq_s32(multipliers), vldrbq_s32(shifts));
        else
            scaled = tc_scale_four(sums, vldrwq_s32(multipliers), vldrbq_s32(shifts));
        vstrbq_s32(to, vminq_s32(vmaxq_s32(vaddq_s32(scaled, zero_point), low), high));
        bias += 4;
        multipliers += 4;
        shifts += 4;
        to += 4;
    }
    int32_t row = p->rows & ~3;
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
