/* From logits to the answer: TFLite's softmax, codes scaled to a total of 256, then the model's responses.
 * No branch depends on a value. */
#include "kernels.h"
#include "responses.h"

static void normalise_codes(uint8_t *codes, int32_t classes, uint32_t *work) {
    uint32_t *weights = work + classes;
    for (int32_t i = 0; i < classes; i++)
        weights[i] = codes[i];
    tc_normalise(weights, classes, work, codes);
}

void tc_posterior(const tc_softmax_scale *scale, const int8_t *logits, int32_t classes, uint8_t *codes,
                  uint32_t *work) {
    tc_softmax_row(scale, logits, classes, (int32_t *)work, codes);
    normalise_codes(codes, classes, work);
}

tc_status tc_answer(const tc_model *model, const int8_t *logits, int32_t head, uint8_t *codes) {
    const int32_t classes = model->answer_bytes;
    if (classes < 2 || classes > 256)
        return TC_BAD_ARGUMENT;
    if (head < 0 || head >= model->heads)
        return TC_BAD_HEAD;
    /* The converter makes the arena large enough. */
    uint32_t *work = (uint32_t *)(void *)model->arena;
    if (model->combiner) {
        model->combiner->run(model->combiner->parameters, model->answer_scales, logits, classes, codes, work);
    } else if (model->answer_scales) {
        tc_posterior(&model->answer_scales[head], logits, classes, codes, work);
    } else {
        for (int32_t i = 0; i < classes; i++)
            codes[i] = (uint8_t)((uint8_t)logits[i] ^ 0x80u);
        normalise_codes(codes, classes, work);
    }
    for (int32_t i = 0; i < model->response_count; i++)
        model->responses[i].run(model->responses[i].parameters, classes, codes, work);
    return TC_OK;
}
