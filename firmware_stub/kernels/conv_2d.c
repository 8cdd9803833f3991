/* CONV_2D: gathers the window of two output pixels at a time into columns and multiplies them with all filters. */
#include "bytes.h"
#include "kernels.h"

/* One line of the window: `from` is where it would begin in the image, `left` the column there. */
static inline void gather_line(const tc_window *w, int32_t fill, const int8_t *from, int32_t left, int8_t *to) {
    if (w->dilation_width == 1) {
        const int32_t before = left < 0 ? -left : 0;
        const int32_t beyond = left + w->kernel_width - w->input_width;
        const int32_t after = beyond > 0 ? beyond : 0;
        const int32_t first = before * w->channels, count = (w->kernel_width - before - after) * w->channels;
        if (first > 0)
            tc_fill(to, fill, first);
        tc_copy(to + first, from + first, count);
        if (after > 0)
            tc_fill(to + first + count, fill, after * w->channels);
        return;
    }
    for (int32_t kx = 0; kx < w->kernel_width; kx++, to += w->channels) {
        const int32_t offset = kx * w->dilation_width;
        if (left + offset < 0 || left + offset >= w->input_width)
            tc_fill(to, fill, w->channels);
        else
            tc_copy(to, from + offset * w->channels, w->channels);
    }
}

/* Writes the window of output pixel (row, column) as one int8 column; what lies outside the image becomes `fill`. */
static __attribute__((noinline)) void gather(const tc_conv_2d_parameters *parameters, const int8_t *input, int32_t row,
                                             int32_t column, int8_t *to) {
    const tc_window *const w = &parameters->window;
    const int32_t left = column * w->stride_width - w->pad_left;
    const int32_t line_bytes = w->kernel_width * w->channels;
    int32_t y = row * w->stride_height - w->pad_top;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_height, to += line_bytes) {
        if (y < 0 || y >= w->input_height)
            tc_fill(to, parameters->fill, line_bytes);
        else
            gather_line(w, parameters->fill, input + (y * w->input_width + left) * w->channels, left, to);
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
