/* fixed_point.h and tc_divide at the ends of what they promise, against 64 and 128 bits. Prints nothing; UBSan may. */
#include "fixed_point.h"
#include "responses.h"

static uint64_t state = 88172645463325252u;

/* Anything, but often an end, a power of two or next to one. */
static int32_t draw(int32_t least, int32_t most) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    const int64_t span = (int64_t)most - least, any = (int64_t)(state >> 33) % (span + 1);
    const int64_t near = (int64_t)(state >> 20 & 7) - 4;
    int64_t value = least + any;
    switch (state & 7) {
    case 0: value = least + near; break;
    case 1: value = most + near; break;
    case 2: value = near; break;
    case 3: value = ((int64_t)1 << (state >> 8 & 31)) + near; break;
    case 4: value = -((int64_t)1 << (state >> 8 & 31)) + near; break;
    default: break;
    }
    value = value < least ? least : value;
    return (int32_t)(value > most ? most : value);
}

static int32_t doubling_high(int64_t a, int64_t b) {
    return (int32_t)((a * b + ((int64_t)1 << 30)) >> 31);
}

/* To nearest, halves away from zero. */
static int32_t round_shift(int64_t x, int32_t bits) {
    const int64_t magnitude = x < 0 ? -x : x, half = bits ? (int64_t)1 << (bits - 1) : 0;
    const int64_t rounded = (magnitude + half) >> bits;
    return (int32_t)(x < 0 ? -rounded : rounded);
}

static int32_t clamp(int64_t x, int32_t low, int32_t high) {
    return (int32_t)(x < low ? low : x > high ? high : x);
}

int main(void) {
    const int32_t largest = (1 << 30) - 1;
    for (int32_t i = 0; i < 3000000; i++) {
        const int32_t a = draw(-INT32_MAX, INT32_MAX), b = draw(-INT32_MAX, INT32_MAX);
        if (tc_doubling_high(a, b) != doubling_high(a, b))
            return 1;
        const int32_t small = draw(-largest, largest), bits = draw(0, 31), multiplier = draw(0, INT32_MAX);
        if (tc_round_shift(small, bits) != round_shift(small, bits))
            return 2;
        const int32_t left = draw(0, 30), shifted = draw(-(largest >> left), largest >> left);
        const int32_t scaled = doubling_high((int64_t)shifted * ((int64_t)1 << left), multiplier);
        if (tc_scale(shifted, multiplier, left) != scaled)
            return 3;
        const int32_t right = round_shift(doubling_high(small, multiplier), bits);
        if (tc_scale(small, multiplier, -bits) != right || tc_scale_right(small, multiplier, bits) != right)
            return 4;
        const int32_t zero_point = draw(-128, 127), low = draw(-128, 127), high = draw(low, 127);
        if (tc_to_int8(small, multiplier, -bits, zero_point, low, high) != clamp((int64_t)right + zero_point, low, high))
            return 5;
        if (tc_to_int8(shifted, multiplier, left, zero_point, low, high) !=
            clamp((int64_t)scaled + zero_point, low, high))
            return 6;
        if (bits > 0 &&
            tc_to_int8_plain(small, multiplier, -bits, zero_point, low) != clamp((int64_t)right + zero_point, low, 127))
            return 7;
        const uint32_t divisor = (uint32_t)draw(1, (1 << 22) - 1);
        const uint32_t value = (uint32_t)draw(0, INT32_MAX) % (512 * divisor);
        uint32_t remainder;
        if (tc_divide(value, divisor, &remainder) != value / divisor || remainder != value % divisor)
            return 8;
    }
    return 0;
}
