/* From logits to the answer: TFLite's softmax, then codes scaled to a total of 256. No branch depends on a value. */
#include "kernels.h"
#include "tinycerb.h"

enum { TOTAL = 256 };

/* ceil(2^32 / divisor) for divisor > 1, in 32 equal steps: a division instruction is missing on the smallest cores. */
static uint32_t inverse(uint32_t divisor) {
    uint32_t quotient = 0;
    uint32_t remainder = 1;
    for (int32_t bit = 0; bit < 32; bit++) {
        remainder <<= 1;
        const uint32_t fits = (((remainder - divisor) >> 31) ^ 1u);
        remainder -= divisor & (0u - fits);
        quotient = (quotient << 1) | fits;
    }
    return quotient + ((0u - remainder) >> 31);
}

static uint32_t is_less(uint32_t a, uint32_t b) {
    return (a - b) >> 31;
}

/* How many keys stand before this one: the larger first, among equals the lower class. */
static uint32_t rank_of(const uint32_t *keys, int32_t count, int32_t index) {
    uint32_t rank = 0;
    for (int32_t other = 0; other < count; other++)
        rank += is_less(keys[index], keys[other] + (uint32_t)(other < index));
    return rank;
}

/* The largest-remainder rule; `keys` is uint32 [count] of working memory. */
static void normalise(uint8_t *codes, int32_t count, uint32_t *keys, uint32_t *shares) {
    uint32_t sum = 0, given = 0, spill = 0;
    for (int32_t i = 0; i < count; i++)
        sum += codes[i];
    const uint32_t reciprocal = inverse(sum);
    for (int32_t i = 0; i < count; i++) {
        const uint32_t scaled = codes[i] * (uint32_t)TOTAL;
        shares[i] = (uint32_t)(((uint64_t)scaled * reciprocal) >> 32);
        keys[i] = (scaled - shares[i] * sum) * TOTAL + codes[i];
        given += shares[i];
    }
    for (int32_t i = 0; i < count; i++)
        shares[i] += is_less(rank_of(keys, count, i), TOTAL - given);
    /* A share of 256 does not fit a byte; all others are then 0. */
    for (int32_t i = 0; i < count; i++)
        spill += shares[i] >> 8;
    for (int32_t i = 0; i < count; i++) {
        const uint32_t rank = rank_of(shares, count, i);
        codes[i] = (uint8_t)(shares[i] - (spill & is_less(rank, 1)) + (spill & is_less(rank, 2) & ~is_less(rank, 1)));
    }
}

tc_status tc_answer(const tc_model *model, const int8_t *logits, int32_t head, uint8_t *codes) {
    const int32_t classes = model->output_bytes;
    if (classes < 2 || classes > 256)
        return TC_BAD_ARGUMENT;
    if (head < 0 || head >= model->heads)
        return TC_BAD_HEAD;
    /* The converter makes the arena large enough for both. */
    uint32_t *keys = (uint32_t *)(void *)model->arena, *shares = keys + classes;
    if (model->answer_scales)
        tc_softmax_row(&model->answer_scales[head], logits, classes, (int32_t *)keys, codes);
    else
        for (int32_t i = 0; i < classes; i++)
            codes[i] = (uint8_t)((uint8_t)logits[i] ^ 0x80u);
    normalise(codes, classes, keys, shares);
    return TC_OK;
}
