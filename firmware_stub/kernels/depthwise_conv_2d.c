/* DEPTHWISE_CONV_2D: one pixel after the other; window elements outside the image point to a row of zero points. */
#include "fixed_point.h"
#include "kernels.h"

void tc_depthwise_conv_2d(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_depthwise_conv_2d_parameters *parameters = layer->parameters;
    const tc_window *w = &parameters->window;
    const int8_t **taps = layer->scratch;
    int8_t *outside = (int8_t *)(taps + parameters->product.depth);
    memset(outside, parameters->fill, (size_t)w->channels);
    int8_t *output = layer->output;
    for (int32_t row = 0; row < w->output_height; row++) {
        const int32_t top = row * w->stride_height - w->pad_top;
        for (int32_t column = 0; column < w->output_width; column++, output += parameters->product.rows) {
            const int32_t left = column * w->stride_width - w->pad_left;
            const int8_t **tap = taps;
            for (int32_t ky = 0; ky < w->kernel_height; ky++) {
                const int32_t y = top + ky * w->dilation_height;
                const int8_t *line = layer->input + y * w->input_width * w->channels;
                const int row_inside = y >= 0 && y < w->input_height;
                for (int32_t kx = 0; kx < w->kernel_width; kx++) {
                    const int32_t x = left + kx * w->dilation_width;
                    *tap++ = row_inside && x >= 0 && x < w->input_width ? line + x * w->channels : outside;
                }
            }
            tc_depthwise_pixel(parameters, taps, output);
        }
    }
}
