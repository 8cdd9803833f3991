/* AVERAGE_POOL_2D by CMSIS-NN. */
#include "arm_nnfunctions.h"
#include "cmsis_nn.h"

void tc_cmsis_nn_average_pool_2d(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_cmsis_nn_pool_parameters *parameters = layer->parameters;
    const tc_window *w = &parameters->window;
    const cmsis_nn_pool_params how = {
        .stride = {w->stride_width, w->stride_height},
        .padding = {w->pad_left, w->pad_top},
        .activation = {parameters->low, parameters->high},
    };
    const cmsis_nn_dims input = {1, w->input_height, w->input_width, w->channels};
    const cmsis_nn_dims filter = {1, w->kernel_height, w->kernel_width, 1};
    const cmsis_nn_dims output = {1, w->output_height, w->output_width, w->channels};
    tc_cmsis_nn_require(arm_avgpool_s8_get_buffer_size(w->output_width, w->channels) <= parameters->scratch_bytes);
    const cmsis_nn_context context = {layer->scratch, parameters->scratch_bytes};
    tc_cmsis_nn_require(arm_avgpool_s8(&context, &how, &input, layer->input, &filter, &output, layer->output) ==
                        ARM_CMSIS_NN_SUCCESS);
}
