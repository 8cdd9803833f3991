/* Runs every head on every golden image. Part of the application's one source. */
#ifndef GOLDEN_CHECK_H
#define GOLDEN_CHECK_H
#include "frame.h"
#include "golden.h"
#include "model.h"

/* Returns how many golden images got wrong logits; `logits` is room for one head's. */
static uint32_t count_wrong(int8_t *logits) {
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < TC_GOLDEN_COUNT; i++) {
        uint32_t crc = 0;
        for (int32_t head = 0; head < TC_HEADS; head++) {
            tc_infer(&tc_model_instance, tc_golden_images[i], head, logits);
            crc = frame_crc(crc, (const uint8_t *)logits, TC_OUTPUT_BYTES);
        }
        wrong += crc != tc_golden_crcs[i];
    }
    return wrong;
}

#endif
