/* GATHER and TinyCerbHeadSelect: the selected head's row, where its layer could not be computed alone. */
#include "bytes.h"
#include "kernels.h"

void tc_head_select(const tc_layer *layer, int32_t head) {
    const tc_head_select_parameters *parameters = layer->parameters;
    tc_copy(layer->output, layer->input + head * parameters->row_bytes, parameters->row_bytes);
}
