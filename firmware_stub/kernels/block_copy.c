/* PAD, CONCATENATION, STRIDED_SLICE: a block of elements goes from one place to another. */
#include "bytes.h"
#include "kernels.h"

void tc_block_copy(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_block_copy_parameters *p = layer->parameters;
    if (p->fill_count != 0)
        tc_fill(layer->output, p->fill, p->fill_count);
    const int contiguous = p->input_stride[4] == 1 && p->output_stride[4] == 1;
    const int8_t *from[5] = {layer->input + p->input_offset};
    int8_t *to[5] = {layer->output + p->output_offset};
    for (int32_t a = 0; a < p->extent[0]; a++) {
        from[1] = from[0] + a * p->input_stride[0];
        to[1] = to[0] + a * p->output_stride[0];
        for (int32_t b = 0; b < p->extent[1]; b++) {
            from[2] = from[1] + b * p->input_stride[1];
            to[2] = to[1] + b * p->output_stride[1];
            for (int32_t c = 0; c < p->extent[2]; c++) {
                from[3] = from[2] + c * p->input_stride[2];
                to[3] = to[2] + c * p->output_stride[2];
                for (int32_t d = 0; d < p->extent[3]; d++) {
                    from[4] = from[3] + d * p->input_stride[3];
                    to[4] = to[3] + d * p->output_stride[3];
                    if (contiguous)
                        tc_copy(to[4], from[4], p->extent[4]);
                    else
                        for (int32_t e = 0; e < p->extent[4]; e++)
                            to[4][e * p->output_stride[4]] = from[4][e * p->input_stride[4]];
                }
            }
        }
    }
}
