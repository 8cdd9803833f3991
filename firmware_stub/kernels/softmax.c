/* SOFTMAX: TFLite's fixed-point exponential and Newton's division, without branches. */
#include "fixed_point.h"
#include "kernels.h"

/* exp(-2^k) for k = -2 .. 4, Q0.31. */
static const int32_t barrel[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};

/* exp of a Q5.26 value <= 0, as Q0.31. */
static int32_t exponential(int32_t exponent) {
    const int32_t quarter = (exponent & 0xFFFFFF) - 0x1000000;
    const int32_t x = quarter * 32 + (1 << 28);
    const int32_t square = tc_doubling_high(x, x);
    const int32_t cube = tc_doubling_high(square, x), fourth = tc_doubling_high(square, square);
    const int32_t thirds = tc_doubling_high(tc_round_shift(fourth, 2) + cube, 715827883);
    const int32_t series = tc_round_shift(thirds + square, 1);
    int32_t result = 1895147668 + tc_doubling_high(x + series, 1895147668);
    const int32_t remainder = quarter - exponent;
    for (int32_t bit = 0; bit < 7; bit++) {
        const int32_t smaller = tc_doubling_high(result, barrel[bit]);
        const int32_t taken = -((remainder >> (24 + bit)) & 1);
        result += (smaller - result) & taken;
    }
    /* exp(0) is the one value that the series does not give. */
    const int32_t zero = ~((exponent | -exponent) >> 31);
    return (result & ~zero) | (INT32_MAX & zero);
}

/* x / 2^bits to nearest for x from 0 to the end of int32, where the sum with the half needs the sign bit. From 32 bits
 * on, which C does not shift by, nothing of x is left. */
static int32_t round_shift_large(int32_t x, int32_t bits) {
    const int32_t defined = bits & 31;
    const uint32_t rounded = ((uint32_t)x + ((1u << defined) >> 1)) >> defined;
    return (int32_t)(rounded & (uint32_t)((bits - 32) >> 31));
}

/* Number of leading zeros of x > 0, by halving: CLZ is missing on the smallest cores. */
static int32_t leading_zeros(uint32_t x) {
    int32_t zeros = 0;
    for (int32_t step = 16; step > 0; step >>= 1) {
        const uint32_t high = x >> (32 - step);
        const int32_t empty = (int32_t)(((high | (0u - high)) >> 31) ^ 1u);
        zeros += step & -empty;
        x <<= step & -empty;
    }
    return zeros;
}

/* One over a sum in Q12.19, from 1 to 4,096: Q0.31 mantissa. */
static int32_t reciprocal(uint32_t sum, int32_t zeros) {
    const int64_t rounded = (int64_t)(int32_t)((sum << zeros) - 0x80000000u) + INT32_MAX;
    const int32_t half = (int32_t)((rounded + 1) / 2);
    int32_t estimate = 1515870810 + tc_doubling_high(half, -1010580540);
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = (1 << 29) - tc_doubling_high(half, estimate);
        /* TFLite saturates here; from this start the correction stays below 2^29 and cannot. */
        estimate += tc_doubling_high(estimate, error) * 4;
    }
    const int32_t full = ((1 << 30) - 1 - estimate) >> 31;
    return ((int32_t)((uint32_t)estimate << 1) & ~full) | (INT32_MAX & full);
}

void tc_softmax_row(const tc_softmax_scale *scale, const int8_t *logits, int32_t depth, int32_t *exponentials,
                    uint8_t *codes) {
    int32_t largest = -128;
    for (int32_t i = 0; i < depth; i++)
        largest = tc_max(logits[i], largest);
    /* A class adds 2^19 at most, and the largest does: 4,096 of them reach 2^31. */
    uint32_t sum = 0;
    for (int32_t i = 0; i < depth; i++) {
        const int32_t below_top = logits[i] - largest;
        /* Further down the exponential is zero, and the shift would overflow. */
        const int32_t counted = ~((below_top - scale->smallest) >> 31);
        const int32_t exponent =
            tc_doubling_high((int32_t)((uint32_t)(below_top & counted) << scale->shift), scale->multiplier);
        exponentials[i] = exponential(exponent) & counted;
        sum += (uint32_t)round_shift_large(exponentials[i], 12);
    }
    const int32_t zeros = leading_zeros(sum), mantissa = reciprocal(sum, zeros);
    for (int32_t i = 0; i < depth; i++) {
        const int32_t code = round_shift_large(tc_doubling_high(mantissa, exponentials[i]), 12 - zeros + 23);
        codes[i] = (uint8_t)tc_clamp(code, 0, 255);
    }
}

void tc_softmax(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_softmax_parameters *parameters = layer->parameters;
    const int8_t *input = layer->input;
    int8_t *output = layer->output;
    for (int32_t row = 0; row < parameters->rows; row++) {
        tc_softmax_row(&parameters->scale, input, parameters->depth, layer->scratch, (uint8_t *)output);
        for (int32_t i = 0; i < parameters->depth; i++)
            output[i] = (int8_t)((uint8_t)output[i] ^ 0x80u);
        input += parameters->depth;
        output += parameters->depth;
    }
}
