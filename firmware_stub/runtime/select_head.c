/* Which head answers: drawn on the device, so that nobody outside can choose. */
#include "tinycerb.h"

enum { REGIONS = 16 };

/* One bit per sixteenth of the input: is it brighter than the whole? */
static uint16_t coarse_view(const int8_t *image, int32_t count) {
    int64_t total = 0;
    int32_t sums[REGIONS];
    for (int32_t region = 0; region < REGIONS; region++) {
        const int32_t from = (int32_t)((int64_t)region * count / REGIONS);
        const int32_t to = (int32_t)((int64_t)(region + 1) * count / REGIONS);
        sums[region] = 0;
        for (int32_t i = from; i < to; i++)
            sums[region] += image[i];
        total += sums[region];
    }
    uint32_t view = 0;
    for (int32_t region = 0; region < REGIONS; region++) {
        const int32_t size = (int32_t)((int64_t)(region + 1) * count / REGIONS - (int64_t)region * count / REGIONS);
        view |= (uint32_t)((int64_t)sums[region] * count > total * size) << region;
    }
    return (uint16_t)view;
}

static void put_little_endian(uint64_t word, uint8_t *to) {
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(word >> (8 * i));
}

tc_status tc_select_head(const tc_model *model, const tc_selector *selector, const int8_t *image, int32_t *head) {
    const uint32_t heads = (uint32_t)model->heads;
    *head = 0;
    if (selector->selection == TC_SELECT_FIXED || heads == 1)
        return TC_OK;
    uint8_t block[8];
    int keyed = selector->selection != TC_SELECT_RANDOM || !selector->random || !selector->random(block, sizeof block);
    if (keyed) {
        if (!selector->secret)
            return TC_BAD_ARGUMENT;
        uint8_t coarse[2];
        const uint8_t *message = (const uint8_t *)image;
        size_t count = (size_t)model->input_bytes;
        if (selector->selection == TC_SELECT_COARSE_KEYED) {
            const uint16_t view = coarse_view(image, model->input_bytes);
            coarse[0] = (uint8_t)view;
            coarse[1] = (uint8_t)(view >> 8);
            message = coarse;
            count = sizeof coarse;
        }
        put_little_endian(tc_siphash(selector->secret, message, count), block);
    }
    /* Lemire's draw: 32-bit words whose product's low half is below 2^32 mod heads would favour some heads. */
    const uint32_t unfair = (0u - heads) % heads;
    for (int at = 0;; at += 4) {
        if (at == 8) {
            at = 0;
            if (keyed || !selector->random(block, sizeof block)) {
                if (!selector->secret)
                    return TC_BAD_ARGUMENT;
                put_little_endian(tc_siphash(selector->secret, block, sizeof block), block);
            }
        }
        const uint32_t word = (uint32_t)block[at] | (uint32_t)block[at + 1] << 8 | (uint32_t)block[at + 2] << 16 |
                              (uint32_t)block[at + 3] << 24;
        const uint64_t product = (uint64_t)word * heads;
        if ((uint32_t)product >= unfair) {
            *head = (int32_t)(product >> 32);
            return TC_OK;
        }
    }
}
