/* DEPTHWISE_CONV_2D by CMSIS-NN. */
#include "arm_nnfunctions.h"
#include "cmsis_nn.h"

void tc_cmsis_nn_depthwise_conv_2d(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_cmsis_nn_conv_2d_parameters *parameters = layer->parameters;
    const tc_cmsis_nn_product *p = &parameters->product;
    const tc_window *w = &parameters->window;
    const cmsis_nn_dw_conv_params how = {
        .input_offset = -p->input_zero_point,
        .output_offset = p->output_zero_point,
        .ch_mult = parameters->multiplier,
        .stride = {w->stride_width, w->stride_height},
        .padding = {w->pad_left, w->pad_top},
        .dilation = {w->dilation_width, w->dilation_height},
        .activation = {p->low, p->high},
    };
    const cmsis_nn_per_channel_quant_params scales = {(int32_t *)p->multipliers, (int32_t *)p->shifts};
    const cmsis_nn_dims input = {1, w->input_height, w->input_width, w->channels};
    const cmsis_nn_dims filter = {1, w->kernel_height, w->kernel_width, p->rows};
    const cmsis_nn_dims bias = {1, 1, 1, p->rows};
    const cmsis_nn_dims output = {1, w->output_height, w->output_width, p->rows};
    const int32_t needed = arm_depthwise_conv_wrapper_s8_get_buffer_size(&how, &input, &filter, &output);
    tc_cmsis_nn_require(needed <= parameters->scratch_bytes);
    const cmsis_nn_context context = {layer->scratch, parameters->scratch_bytes};
    tc_cmsis_nn_require(arm_depthwise_conv_wrapper_s8(&context, &how, &scales, &input, layer->input, &filter,
                                                      p->weights, &bias, p->bias, &output,
                                                      layer->output) == ARM_CMSIS_NN_SUCCESS);
}
