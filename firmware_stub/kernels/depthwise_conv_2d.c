/* DEPTHWISE_CONV_2D: one pixel after the other; window elements outside the image point to a row of zero points. */
#include "bytes.h"
#include "kernels.h"

/* Where the elements of the window of one output pixel are. */
static __attribute__((noinline)) void find_taps(const tc_window *w, const int8_t *input, const int8_t *outside,
                                                int32_t top, int32_t left, const int8_t **tap) {
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        const int32_t y = top + ky * w->dilation_height;
        const int row_inside = y >= 0 && y < w->input_height;
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int32_t x = left + kx * w->dilation_width;
            const int inside = row_inside && x >= 0 && x < w->input_width;
            *tap++ = inside ? input + (y * w->input_width + x) * w->channels : outside;
        }
    }
}

void tc_depthwise_conv_2d(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_depthwise_conv_2d_parameters *parameters = layer->parameters;
    const tc_window w = parameters->window;
    const int32_t count = parameters->product.depth;
    const int8_t **taps = layer->scratch;
    int8_t *outside = (int8_t *)(taps + count);
    tc_fill(outside, parameters->fill, w.channels);
    const int32_t span = (w.kernel_width - 1) * w.dilation_width, step = w.stride_width * w.channels;
    int8_t *output = layer->output;
    for (int32_t row = 0; row < w.output_height; row++) {
        const int32_t top = row * w.stride_height - w.pad_top;
        const int rows_inside = top >= 0 && top + (w.kernel_height - 1) * w.dilation_height < w.input_height;
        int moving = 0;
        for (int32_t column = 0; column < w.output_width; column++, output += parameters->product.rows) {
            const int32_t left = column * w.stride_width - w.pad_left;
            const int inside = rows_inside && left >= 0 && left + span < w.input_width;
            /* From one whole window to the next every element moves by the same step. */
            if (inside && moving)
                for (int32_t tap = 0; tap < count; tap++)
                    taps[tap] += step;
            else
                find_taps(&w, layer->input, outside, top, left, taps);
            moving = inside;
            tc_depthwise_pixel(parameters, taps, output);
        }
    }
}
