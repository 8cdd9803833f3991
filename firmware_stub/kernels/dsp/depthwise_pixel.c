/* One pixel of DEPTHWISE_CONV_2D, four channels at a time: widened in pairs, multiplied half by half. */
#include "fixed_point.h"
#include "kernels.h"

static inline void widen_pairs(const int8_t *from, int32_t *even, int32_t *odd) {
    int32_t word;
    memcpy(&word, from, 4);
    __asm__("sxtb16 %0, %2\n\tsxtb16 %1, %2, ror #8" : "=&r"(*even), "=r"(*odd) : "r"(word));
}

static inline void add_products(const int8_t *value, const int8_t *weight, int32_t sums[4]) {
    int32_t x_even, x_odd, w_even, w_odd;
    widen_pairs(value, &x_even, &x_odd);
    widen_pairs(weight, &w_even, &w_odd);
    sums[0] = __smlabb(x_even, w_even, sums[0]);
    sums[1] = __smlabb(x_odd, w_odd, sums[1]);
    sums[2] = __smlatt(x_even, w_even, sums[2]);
    sums[3] = __smlatt(x_odd, w_odd, sums[3]);
}

/* All channels that fill groups of four; the window that every network has is unrolled. */
static int32_t four_channels(const tc_product *p, const int8_t *const *taps, int8_t *output) {
    const int32_t count = p->depth;
    int32_t channel = 0;
    for (; channel + 4 <= p->rows; channel += 4) {
        int32_t sums[4];
        for (int32_t i = 0; i < 4; i++)
            sums[i] = p->bias[channel + i];
        const int8_t *weight = p->weights + channel;
        if (count == 9) {
#pragma GCC unroll 9
            for (int32_t tap = 0; tap < 9; tap++, weight += p->rows)
                add_products(taps[tap] + channel, weight, sums);
        } else {
#pragma GCC unroll 1
            for (int32_t tap = 0; tap < count; tap++, weight += p->rows)
                add_products(taps[tap] + channel, weight, sums);
        }
        const int32_t *multipliers = p->multipliers + channel;
        const int8_t *shifts = p->shifts + channel;
        if (p->plain)
            for (int32_t i = 0; i < 4; i++)
                output[channel + i] = tc_to_int8_plain(sums[i], multipliers[i], shifts[i], p->zero_point, p->low);
        else
            for (int32_t i = 0; i < 4; i++)
                output[channel + i] = tc_to_int8(sums[i], multipliers[i], shifts[i], p->zero_point, p->low, p->high);
    }
    return channel;
}

void tc_depthwise_pixel(const tc_depthwise_conv_2d_parameters *parameters, const int8_t *const *taps, int8_t *output) {
    const tc_product p = parameters->product;
    int32_t done = 0;
    if (parameters->multiplier == 1)
        done = four_channels(&p, taps, output);
    if (done < p.rows)
        tc_depthwise_channels(parameters, taps, done, output);
}
