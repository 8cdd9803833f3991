/* FULLY_CONNECTED by CMSIS-NN: its dense kernel knows one multiplier for all rows and no zero point of the weights, so
 * per-channel layers go through its 1x1 convolution, and the zero point into the biases. */
#include "arm_nnfunctions.h"
#include "cmsis_nn.h"

static arm_cmsis_nn_status multiply(const tc_cmsis_nn_fully_connected_parameters *parameters,
                                    const tc_cmsis_nn_product *p, const int32_t *offset_sums, int32_t *scratch,
                                    const int8_t *values, int8_t *results) {
    const cmsis_nn_context none = {0, 0};
    const cmsis_nn_activation range = {p->low, p->high};
    const cmsis_nn_dims bias = {1, 1, 1, p->rows};
    const cmsis_nn_dims output = {1, 1, 1, p->rows};
    if (parameters->per_channel) {
        const cmsis_nn_tile one = {1, 1}, zero = {0, 0};
        const cmsis_nn_conv_params how = {-p->input_zero_point, p->output_zero_point, one, zero, one, range};
        const cmsis_nn_per_channel_quant_params scales = {(int32_t *)p->multipliers, (int32_t *)p->shifts};
        const cmsis_nn_dims input = {1, 1, 1, parameters->depth}, filter = {p->rows, 1, 1, parameters->depth};
        return arm_convolve_wrapper_s8(&none, &how, &scales, &input, values, &filter, p->weights, &bias, p->bias,
                                       &output, results);
    }
    const cmsis_nn_fc_params how = {-p->input_zero_point, 0, p->output_zero_point, range};
    const cmsis_nn_per_tensor_quant_params scale = {p->multipliers[0], p->shifts[0]};
    const cmsis_nn_dims input = {1, 1, 1, parameters->depth}, filter = {parameters->depth, 1, 1, p->rows};
    const int32_t needed = arm_fully_connected_s8_get_buffer_size(&filter);
    const cmsis_nn_context sums = {scratch, needed};
    /* On cores with MVE its newer versions want sums that begin with the bias and the share of the zero point. */
    if (needed > 0) {
        tc_cmsis_nn_require(offset_sums && needed <= p->rows * (int32_t)sizeof *scratch);
        for (int32_t row = 0; row < p->rows; row++)
            scratch[row] = p->bias[row] + offset_sums[row];
    }
    return arm_fully_connected_s8(&sums, &how, &scale, &input, values, &filter, p->weights, &bias, p->bias, &output,
                                  results);
}

void tc_cmsis_nn_fully_connected(const tc_layer *layer, int32_t head) {
    const tc_cmsis_nn_fully_connected_parameters *parameters = layer->parameters;
    tc_cmsis_nn_product product = parameters->product;
    const int32_t *offset_sums = parameters->offset_sums;
    if (parameters->by_head) {
        offset_sums = offset_sums ? offset_sums + head * product.rows : offset_sums;
        product.weights += head * product.rows * parameters->depth;
        product.bias += head * product.rows;
        product.multipliers += head * product.rows;
        product.shifts += head * product.rows;
    }
    int32_t *const shifted = layer->scratch, *const rest = shifted + (parameters->weight_zero_point ? product.rows : 0);
    const int8_t *values = layer->input;
    int8_t *results = layer->output;
    for (int32_t item = 0; item < parameters->batch; item++) {
        const int32_t *const bias = product.bias;
        if (parameters->weight_zero_point != 0) {
            int32_t sum = -product.input_zero_point * parameters->depth;
            for (int32_t i = 0; i < parameters->depth; i++)
                sum += values[i];
            for (int32_t row = 0; row < product.rows; row++)
                shifted[row] = bias[row] - sum * parameters->weight_zero_point;
            product.bias = shifted;
        }
        tc_cmsis_nn_require(multiply(parameters, &product, offset_sums, rest, values, results) == ARM_CMSIS_NN_SUCCESS);
        product.bias = bias;
        values += parameters->depth;
        results += product.rows;
    }
}
