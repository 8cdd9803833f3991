/* Weights times columns with AVX2: eight rows, two products of each per lane.
 * Packing: eight rows at a time (missing ones are zeros), two weights of each in turn; depth padded to two. */
#include "kernels.h"
#include "vector.h"

static const int16_t *widen(const int8_t *column, int32_t depth, int16_t *to) {
    for (int32_t k = 0; k < depth; k++)
        to[k] = column[k];
    if (depth & 1)
        to[depth] = 0;
    return to;
}

static inline __m256i pair(const int16_t *column, int32_t index) {
    int32_t values;
    memcpy(&values, column + 2 * index, 4);
    return _mm256_set1_epi32(values);
}

static void finish(const tc_product *p, int32_t row, __m256i sums, int8_t *output) {
    if (row + 8 <= p->rows) {
        sums = _mm256_add_epi32(sums, tc_load_eight(p->bias + row));
        sums = tc_scale_eight(sums, tc_load_eight(p->multipliers + row), tc_widen_eight(p->shifts + row));
        tc_store_eight(sums, p->zero_point, p->low, p->high, output + row);
        return;
    }
    const size_t count = (size_t)(p->rows - row);
    int32_t bias[8] = {0}, multipliers[8] = {0};
    int8_t shifts[8] = {0}, values[8];
    memcpy(bias, p->bias + row, 4 * count);
    memcpy(multipliers, p->multipliers + row, 4 * count);
    memcpy(shifts, p->shifts + row, count);
    sums =
        tc_scale_eight(_mm256_add_epi32(sums, tc_load_eight(bias)), tc_load_eight(multipliers), tc_widen_eight(shifts));
    tc_store_eight(sums, p->zero_point, p->low, p->high, values);
    memcpy(output + row, values, count);
}

static inline __m256i weights_at(const int8_t *weights) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)weights));
}

void tc_multiply_two(const tc_product *parameters, const int8_t *const columns[2], int8_t *const outputs[2],
                     void *scratch) {
    const tc_product p = *parameters;
    const int32_t pairs = (p.depth + 1) / 2;
    const int16_t *left = widen(columns[0], p.depth, scratch);
    const int16_t *right = widen(columns[1], p.depth, (int16_t *)scratch + 2 * pairs);
    const int8_t *weights = p.weights;
    for (int32_t row = 0; row < p.rows; row += 8) {
        __m256i first = _mm256_setzero_si256(), second = first;
        for (int32_t k = 0; k < pairs; k++, weights += 16) {
            const __m256i w = weights_at(weights);
            first = _mm256_add_epi32(first, _mm256_madd_epi16(pair(left, k), w));
            second = _mm256_add_epi32(second, _mm256_madd_epi16(pair(right, k), w));
        }
        finish(&p, row, first, outputs[0]);
        finish(&p, row, second, outputs[1]);
    }
}

void tc_multiply_one(const tc_product *parameters, const int8_t *column, int32_t offset, int8_t *output,
                     void *scratch) {
    const tc_product p = *parameters;
    const int32_t pairs = (p.depth + 1) / 2;
    const int16_t *wide = widen(column, p.depth, scratch);
    const int8_t *weights = p.weights;
    for (int32_t row = 0; row < p.rows; row += 8) {
        __m256i sums = _mm256_set1_epi32(offset);
        for (int32_t k = 0; k < pairs; k++, weights += 16)
            sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pair(wide, k), weights_at(weights)));
        finish(&p, row, sums, output);
    }
}
