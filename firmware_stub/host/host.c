/* Batches for callers on a computer: one call per batch instead of one per image. */
#include "tinycerb.h"

int tc_host_infer(const int8_t *images, int32_t count, int32_t head, int8_t *outputs);
int tc_host_answer(const int8_t *logits, int32_t count, int32_t head, uint8_t *codes);

int tc_host_infer(const int8_t *images, int32_t count, int32_t head, int8_t *outputs) {
    const tc_model *model = &tc_model_instance;
    tc_status status = TC_OK;
    for (int32_t i = 0; i < count && status == TC_OK; i++)
        status = tc_infer(model, images + (long)i * model->input_bytes, head, outputs + (long)i * model->output_bytes);
    return (int)status;
}

int tc_host_answer(const int8_t *logits, int32_t count, int32_t head, uint8_t *codes) {
    const tc_model *model = &tc_model_instance;
    tc_status status = TC_OK;
    for (int32_t i = 0; i < count && status == TC_OK; i++)
        status = tc_answer(model, logits + (long)i * model->output_bytes, head, codes + (long)i * model->answer_bytes);
    return (int)status;
}
