/* Runs a model's layers in order. */
#include "bytes.h"
#include "tinycerb.h"

/* Whole words however the caller's array lies; the C library copies byte by byte what is not aligned. Kept apart: its
 * registers would be on the stack beside the layers'. */
static __attribute__((noinline)) void copy(int8_t *to, const int8_t *from, int32_t bytes) {
    tc_copy(to, from, bytes);
}

static tc_status run(const tc_model *model, const int8_t *image, int32_t head, int8_t *output, tc_layer_done done) {
    if (head < 0 || head >= model->heads)
        return TC_BAD_HEAD;
    copy(model->input, image, model->input_bytes);
    for (int32_t i = 0; i < model->layer_count; i++) {
        const tc_layer *layer = &model->layers[i];
        layer->run(layer, head);
        if (done)
            done(i);
    }
    copy(output, model->output, model->output_bytes);
    return TC_OK;
}

tc_status tc_infer(const tc_model *model, const int8_t *image, int32_t head, int8_t *output) {
    return run(model, image, head, output, 0);
}

tc_status tc_infer_in_place(const tc_model *model, int32_t head, int8_t *output) {
    if (head < 0 || head >= model->heads)
        return TC_BAD_HEAD;
    for (int32_t i = 0; i < model->layer_count; i++)
        model->layers[i].run(&model->layers[i], head);
    copy(output, model->output, model->output_bytes);
    return TC_OK;
}

tc_status tc_infer_profiled(const tc_model *model, const int8_t *image, int32_t head, int8_t *output,
                            tc_layer_done done) {
    return run(model, image, head, output, done);
}
