/* Moving probability between classes, in codes: the twin of tinycerb/answers/{normalise,responses/moves}.py. */
#include "responses.h"

/* Apart: inlined, it would stand in many places. */
__attribute__((noinline)) uint32_t tc_divide(uint32_t value, uint32_t divisor, uint32_t *remainder) {
    uint32_t quotient = 0;
    for (int32_t bit = 8; bit >= 0; bit--) {
        const uint32_t part = divisor << bit;
        const uint32_t fits = ~tc_is_less(value, part);
        value -= part & fits;
        quotient |= (fits & 1u) << bit;
    }
    *remainder = value;
    return quotient;
}

/* How many keys stand before this one: the larger first, among equals the lower class. */
static uint32_t rank_of(const uint32_t *keys, int32_t count, int32_t index) {
    uint32_t rank = 0;
    for (int32_t other = 0; other < count; other++)
        rank -= tc_is_less(keys[index], keys[other] + (uint32_t)(other < index));
    return rank;
}

void tc_normalise(uint32_t *weights, int32_t classes, uint32_t *keys, uint8_t *codes) {
    uint32_t sum = 0, given = 0, spill = 0, first = 0;
    for (int32_t i = 0; i < classes; i++)
        sum += weights[i];
    for (int32_t i = 0; i < classes; i++) {
        uint32_t remainder;
        const uint32_t share = tc_divide(weights[i] * TC_TOTAL, sum, &remainder);
        keys[i] = remainder * 4096 + weights[i];
        weights[i] = share;
        given += share;
    }
    for (int32_t i = 0; i < classes; i++)
        weights[i] += tc_is_less(rank_of(keys, classes, i), TC_TOTAL - given) & 1u;
    /* A share of 256 does not fit a byte; all others are then 0, and the first of them gets one. */
    for (int32_t i = 0; i < classes; i++)
        spill |= weights[i] >> 8;
    first = weights[0] >> 8;
    for (int32_t i = 0; i < classes; i++) {
        const uint32_t runner_up = ~tc_is_less((uint32_t)i, first) & tc_is_less((uint32_t)i, first + 1);
        codes[i] = (uint8_t)(weights[i] - (weights[i] >> 8) + (spill & runner_up));
    }
}

int32_t tc_first_largest(const uint8_t *codes, int32_t classes) {
    uint32_t largest = codes[0], at = 0;
    for (int32_t i = 1; i < classes; i++) {
        const uint32_t larger = tc_is_less(largest, codes[i]);
        largest = tc_choose(larger, codes[i], largest);
        at = tc_choose(larger, (uint32_t)i, at);
    }
    return (int32_t)at;
}

void tc_step_towards(uint8_t *codes, const uint8_t *target, int32_t classes, int32_t units) {
    uint32_t distance = 0;
    for (int32_t i = 0; i < classes; i++)
        distance += ((uint32_t)target[i] - codes[i]) & tc_is_less(codes[i], target[i]);
    const uint32_t moved = tc_choose(tc_is_less((uint32_t)units, distance), (uint32_t)units, distance);
    /* Where the target is where the codes are, nothing moves, whatever one divides by. */
    const uint32_t divisor = distance + (tc_is_less(distance, 1) & 1u);
    uint32_t gained = 0, lost = 0, before = 0, unused;
    for (int32_t i = 0; i < classes; i++) {
        const uint32_t grows = tc_is_less(codes[i], target[i]), difference = (uint32_t)target[i] - codes[i];
        gained += difference & grows;
        lost -= difference & ~grows;
        const uint32_t running =
            tc_divide(gained * moved, divisor, &unused) - tc_divide(lost * moved, divisor, &unused);
        codes[i] = (uint8_t)(codes[i] + running - before);
        before = running;
    }
}

void tc_keep_top(uint8_t *codes, int32_t classes, int32_t top) {
    const int32_t other = tc_first_largest(codes, classes);
    const uint8_t largest = codes[other];
    codes[other] = codes[top];
    codes[top] = largest;
    const int32_t first = tc_first_largest(codes, classes);
    const uint8_t tied = (uint8_t)(tc_is_less((uint32_t)first, (uint32_t)top) & 1u);
    codes[first] = (uint8_t)(codes[first] - tied);
    codes[top] = (uint8_t)(codes[top] + tied);
}

void tc_one_hot(uint8_t *codes, int32_t classes, int32_t label) {
    for (int32_t i = 0; i < classes; i++)
        codes[i] = 0;
    codes[tc_is_less((uint32_t)label, 1) & 1u] = 1;
    codes[label] = 255;
}
