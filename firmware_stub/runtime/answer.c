/* From logits to the answer: TFLite's softmax, codes scaled to a total of 256, then the model's responses.
 * No branch depends on a value. */
#include "kernels.h"
#include "responses.h"

tc_status tc_answer(const tc_model *model, const int8_t *logits, int32_t head, uint8_t *codes) {
    const int32_t classes = model->output_bytes;
    if (classes < 2 || classes > 256)
        return TC_BAD_ARGUMENT;
    if (head < 0 || head >= model->heads)
        return TC_BAD_HEAD;
    /* The converter makes the arena large enough. */
    uint32_t *work = (uint32_t *)(void *)model->arena, *weights = work + classes;
    if (model->answer_scales)
        tc_softmax_row(&model->answer_scales[head], logits, classes, (int32_t *)work, codes);
    else
        for (int32_t i = 0; i < classes; i++)
            codes[i] = (uint8_t)((uint8_t)logits[i] ^ 0x80u);
    for (int32_t i = 0; i < classes; i++)
        weights[i] = codes[i];
    tc_normalise(weights, classes, work, codes);
    for (int32_t i = 0; i < model->response_count; i++)
        model->responses[i].run(model->responses[i].parameters, classes, codes, work);
    return TC_OK;
}
