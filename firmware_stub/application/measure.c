/* Runs every image of a file through every head and writes answers and tick counts, over semihosting.
 *
 * input.bin: images back to back. output.bin: per image and head the logits, the codes, and two uint64: ticks of the
 * inference and of the answer; then uint32 stack bytes, uint64 ticks at the end of every layer of one inference and at
 * its own end, and the model's hash. */
#include "model.h"
#include "semihosting.h"
#include "target.h"

static int8_t image[TC_INPUT_BYTES], logits[TC_OUTPUT_BYTES];
static uint8_t codes[TC_ANSWER_BYTES];
static uint64_t layer_ends[TC_LAYERS + 1];
static uint32_t layers_began;

static void layer_done(int32_t layer) {
    layer_ends[layer] = target_ticks_since(layers_began);
}

int main(void) {
    const int input = semihosting_open("input.bin", SEMIHOSTING_READ);
    const int output = semihosting_open("output.bin", SEMIHOSTING_WRITE);
    if (input < 0 || output < 0)
        return 2;
    const tc_model *model = &tc_model_instance;
    const uint32_t count = semihosting_length(input) / TC_INPUT_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        if (semihosting_read(input, image, TC_INPUT_BYTES) != 0)
            return 3;
        for (int32_t head = 0; head < TC_HEADS; head++) {
            static uint64_t ticks[2];
            target_ticks_start();
            const uint32_t began = target_ticks_now();
            if (tc_infer(model, image, head, logits) != TC_OK)
                return 4;
            ticks[0] = target_ticks_since(began);
            target_ticks_start();
            const uint32_t answer_began = target_ticks_now();
            const tc_status status = tc_answer(model, logits, head, codes);
            ticks[1] = target_ticks_since(answer_began);
            if (status != TC_OK && TC_ANSWERED)
                return 5;
            semihosting_write(output, logits, TC_OUTPUT_BYTES);
            semihosting_write(output, codes, TC_ANSWER_BYTES);
            semihosting_write(output, ticks, sizeof ticks);
        }
    }
    target_ticks_start();
    layers_began = target_ticks_now();
    tc_infer_profiled(model, image, 0, logits, layer_done);
    layer_ends[TC_LAYERS] = target_ticks_since(layers_began);
    const uint32_t stack = target_stack_used();
    semihosting_write(output, &stack, sizeof stack);
    semihosting_write(output, layer_ends, sizeof layer_ends);
    semihosting_write(output, model->hash, sizeof model->hash);
    semihosting_close(output);
    return 0;
}
