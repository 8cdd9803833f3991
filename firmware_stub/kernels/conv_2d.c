/* CONV_2D: gathers the window of two output pixels at a time into columns and multiplies them with all filters. */
#include "fixed_point.h"
#include "kernels.h"

/* Writes the window of output pixel (row, column) as one int8 column; what lies outside the image becomes `fill`. */
static void gather(const tc_conv_2d_parameters *parameters, const int8_t *input, int32_t row, int32_t column,
                   int8_t *to) {
    const tc_window *w = &parameters->window;
    const int32_t top = row * w->stride_height - w->pad_top;
    const int32_t left = column * w->stride_width - w->pad_left;
    const int32_t row_bytes = w->kernel_width * w->channels;
    const int whole_rows = w->dilation_width == 1 && left >= 0 && left + w->kernel_width <= w->input_width;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, to += row_bytes) {
        const int32_t y = top + ky * w->dilation_height;
        if (y < 0 || y >= w->input_height) {
            memset(to, parameters->fill, (size_t)row_bytes);
            continue;
        }
        const int8_t *from = input + (y * w->input_width + left) * w->channels;
        if (whole_rows) {
            tc_copy(to, from, row_bytes);
            continue;
        }
        int8_t *place = to;
        for (int32_t kx = 0; kx < w->kernel_width; kx++, place += w->channels) {
            const int32_t offset = kx * w->dilation_width;
            if (left + offset < 0 || left + offset >= w->input_width)
                memset(place, parameters->fill, (size_t)w->channels);
            else
                tc_copy(place, from + offset * w->channels, w->channels);
        }
    }
}

void tc_conv_2d(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_conv_2d_parameters *parameters = layer->parameters;
    const tc_window *w = &parameters->window;
    const int32_t depth = parameters->product.depth, filters = parameters->product.rows;
    const int32_t pixels = w->output_height * w->output_width;
    const int32_t column_bytes = (depth + 7) & ~7;
    int8_t *const gathered[2] = {layer->scratch, (int8_t *)layer->scratch + column_bytes};
    void *const rest = (int8_t *)layer->scratch + (parameters->direct ? 0 : 2 * column_bytes);
    int32_t row = 0, column = 0;
    for (int32_t pixel = 0; pixel < pixels; pixel += 2) {
        const int8_t *columns[2];
        int8_t *outputs[2];
        const int32_t count = pixels - pixel < 2 ? 1 : 2;
        for (int32_t i = 0; i < count; i++) {
            outputs[i] = layer->output + (pixel + i) * filters;
            if (parameters->direct) {
                columns[i] = layer->input + (pixel + i) * depth;
                continue;
            }
            gather(parameters, layer->input, row, column, gathered[i]);
            columns[i] = gathered[i];
            if (++column == w->output_width) {
                column = 0;
                row++;
            }
        }
        if (count == 2)
            tc_multiply_two(&parameters->product, columns, outputs, rest);
        else
            tc_multiply_one(&parameters->product, columns[0], 0, outputs[0], rest);
    }
}
