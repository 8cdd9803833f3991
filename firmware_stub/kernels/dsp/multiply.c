/* Weights times columns with SMLAD, two products per instruction (Cortex-M4, M7, M33).
 *
 * Columns are widened to int16 first, four values as (x0,x2),(x1,x3): what SXTB16 makes of four weights fits them.
 * Packing: pairs of rows, four weights of each in turn; a last odd row follows as it is; depth is padded to eight with
 * zeros, so that the columns' padding may hold anything. */
#include "fixed_point.h"
#include "kernels.h"

/* Widens a column; `step` words lie between the beginnings of two groups of four values. */
static void widen(const int8_t *from, int32_t depth, int32_t *to, int32_t step) {
    int32_t left = depth;
    for (; left >= 4; left -= 4, from += 4, to += step) {
        int32_t word, even, odd;
        memcpy(&word, from, 4);
        __asm__("sxtb16 %0, %2\n\tsxtb16 %1, %2, ror #8" : "=&r"(even), "=r"(odd) : "r"(word));
        to[0] = even;
        to[1] = odd;
    }
    if (left > 0) {
        int8_t rest[4] = {0, 0, 0, 0};
        for (int32_t i = 0; i < left; i++)
            rest[i] = from[i];
        to[0] = (int32_t)(((uint32_t)rest[0] & 0xFFFFu) | (uint32_t)rest[2] << 16);
        to[1] = (int32_t)(uint32_t)((uint16_t)rest[1]);
    }
}

static inline int8_t to_int8(const tc_product *p, int32_t row, int32_t sum) {
    if (p->plain)
        return tc_to_int8_plain(sum, p->multipliers[row], p->shifts[row], p->zero_point, p->low);
    return tc_to_int8(sum, p->multipliers[row], p->shifts[row], p->zero_point, p->low, p->high);
}

/* One row of its own, against `columns` columns that are interleaved. */
static int32_t single_row(const int8_t *weights, const int32_t *column, int32_t groups, int32_t step, int32_t sum) {
    for (; groups > 0; groups--, weights += 4, column += step) {
        int32_t word, even, odd;
        memcpy(&word, weights, 4);
        __asm__("sxtb16 %0, %2\n\tsxtb16 %1, %2, ror #8" : "=&r"(even), "=r"(odd) : "r"(word));
        sum = __smlad(column[1], odd, __smlad(column[0], even, sum));
    }
    return sum;
}

void tc_multiply_two(const tc_product *parameters, const int8_t *const columns[2], int8_t *const outputs[2],
                     void *scratch) {
    const tc_product p = *parameters;
    const int32_t padded = (p.depth + 7) & ~7;
    int32_t *wide = scratch;
    widen(columns[0], p.depth, wide, 4);
    widen(columns[1], p.depth, wide + 2, 4);
    const int8_t *weights = p.weights;
    int8_t *first = outputs[0], *second = outputs[1];
    int32_t row = 0;
    for (; row + 1 < p.rows; row += 2) {
        int32_t a = p.bias[row], b = p.bias[row + 1], c = a, d = b;
        int32_t w0, w1, v0, v1, x0, x1;
        const int32_t *x = wide;
        const int8_t *end = weights + 2 * padded;
        /* Per round: 16 weights, 16 values, 32 products. */
        __asm__ volatile(
            "1:\n\t"
#define TC_GROUP                                                                                                       \
    "ldrd %[w0], %[w1], [%[w]], #8\n\t"                                                                                \
    "ldrd %[x0], %[x1], [%[x]], #8\n\t"                                                                                \
    "sxtb16 %[v0], %[w0]\n\t"                                                                                          \
    "sxtb16 %[w0], %[w0], ror #8\n\t"                                                                                  \
    "sxtb16 %[v1], %[w1]\n\t"                                                                                          \
    "sxtb16 %[w1], %[w1], ror #8\n\t"                                                                                  \
    "smlad %[a], %[x0], %[v0], %[a]\n\t"                                                                               \
    "smlad %[b], %[x0], %[v1], %[b]\n\t"                                                                               \
    "smlad %[a], %[x1], %[w0], %[a]\n\t"                                                                               \
    "smlad %[b], %[x1], %[w1], %[b]\n\t"                                                                               \
    "ldrd %[x0], %[x1], [%[x]], #8\n\t"                                                                                \
    "smlad %[c], %[x0], %[v0], %[c]\n\t"                                                                               \
    "smlad %[d], %[x0], %[v1], %[d]\n\t"                                                                               \
    "smlad %[c], %[x1], %[w0], %[c]\n\t"                                                                               \
    "smlad %[d], %[x1], %[w1], %[d]\n\t"
            TC_GROUP TC_GROUP "cmp %[w], %[end]\n\t"
            "bne 1b\n\t"
            : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [w] "+r"(weights), [x] "+r"(x), [w0] "=&r"(w0),
              [w1] "=&r"(w1), [v0] "=&r"(v0), [v1] "=&r"(v1), [x0] "=&r"(x0), [x1] "=&r"(x1)
            : [end] "r"(end)
            : "cc", "memory");
#undef TC_GROUP
        *first++ = to_int8(&p, row, a);
        *first++ = to_int8(&p, row + 1, b);
        *second++ = to_int8(&p, row, c);
        *second++ = to_int8(&p, row + 1, d);
    }
    if (row < p.rows) {
        *first = to_int8(&p, row, single_row(weights, wide, padded / 4, 4, p.bias[row]));
        *second = to_int8(&p, row, single_row(weights, wide + 2, padded / 4, 4, p.bias[row]));
    }
}

void tc_multiply_one(const tc_product *parameters, const int8_t *column, int32_t offset, int8_t *output,
                     void *scratch) {
    const tc_product p = *parameters;
    const int32_t padded = (p.depth + 7) & ~7;
    int32_t *wide = scratch;
    widen(column, p.depth, wide, 2);
    const int8_t *weights = p.weights;
    int32_t row = 0;
    for (; row + 1 < p.rows; row += 2) {
        int32_t a = p.bias[row] + offset, b = p.bias[row + 1] + offset;
        int32_t w0, w1, v0, v1, x0, x1;
        const int32_t *x = wide;
        const int8_t *end = weights + 2 * padded;
        __asm__ volatile("1:\n\t"
#define TC_GROUP                                                                                                       \
    "ldrd %[w0], %[w1], [%[w]], #8\n\t"                                                                                \
    "ldrd %[x0], %[x1], [%[x]], #8\n\t"                                                                                \
    "sxtb16 %[v0], %[w0]\n\t"                                                                                          \
    "sxtb16 %[w0], %[w0], ror #8\n\t"                                                                                  \
    "sxtb16 %[v1], %[w1]\n\t"                                                                                          \
    "sxtb16 %[w1], %[w1], ror #8\n\t"                                                                                  \
    "smlad %[a], %[x0], %[v0], %[a]\n\t"                                                                               \
    "smlad %[b], %[x0], %[v1], %[b]\n\t"                                                                               \
    "smlad %[a], %[x1], %[w0], %[a]\n\t"                                                                               \
    "smlad %[b], %[x1], %[w1], %[b]\n\t"
                         TC_GROUP TC_GROUP "cmp %[w], %[end]\n\t"
                         "bne 1b\n\t"
                         : [a] "+r"(a), [b] "+r"(b), [w] "+r"(weights), [x] "+r"(x), [w0] "=&r"(w0), [w1] "=&r"(w1),
                           [v0] "=&r"(v0), [v1] "=&r"(v1), [x0] "=&r"(x0), [x1] "=&r"(x1)
                         : [end] "r"(end)
                         : "cc", "memory");
#undef TC_GROUP
        *output++ = to_int8(&p, row, a);
        *output++ = to_int8(&p, row + 1, b);
    }
    if (row < p.rows)
        *output = to_int8(&p, row, single_row(weights, wide, padded / 4, 2, p.bias[row] + offset));
}
