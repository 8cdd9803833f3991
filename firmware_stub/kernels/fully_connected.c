/* FULLY_CONNECTED. With several heads in one layer only the rows of the selected head are computed. */
#include "kernels.h"

void tc_fully_connected(const tc_layer *layer, int32_t head) {
    const tc_fully_connected_parameters *parameters = layer->parameters;
    tc_product product = parameters->product;
    if (parameters->head_weights != 0) {
        product.weights += head * parameters->head_weights;
        product.bias += head * product.rows;
        product.multipliers += head * product.rows;
        product.shifts += head * product.rows;
    }
    const int8_t *input = layer->input;
    int8_t *output = layer->output;
    for (int32_t item = 0; item < parameters->batch; item++) {
        int32_t offset = 0;
        if (parameters->weight_zero_point != 0) {
            for (int32_t i = 0; i < product.depth; i++)
                offset -= input[i];
            offset *= parameters->weight_zero_point;
        }
        tc_multiply_one(&product, input, offset, output, layer->scratch);
        input += product.depth;
        output += product.rows;
    }
}
