/* MAX_POOL_2D: the largest value inside the image. */
#include "fixed_point.h"
#include "kernels.h"
#include "window.h"

void tc_max_pool_2d(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_pool_parameters parameters = *(const tc_pool_parameters *)layer->parameters;
    const tc_window *w = &parameters.window;
    int8_t *output = layer->output;
    for (int32_t row = 0; row < w->output_height; row++) {
        for (int32_t column = 0; column < w->output_width; column++) {
            const tc_clipped c = tc_clip(w, row, column);
            for (int32_t channel = 0; channel < w->channels; channel++) {
                const int8_t *line = layer->input + c.first + channel;
                int32_t largest = -128;
                for (int32_t y = 0; y < c.height; y++, line += c.line) {
                    const int8_t *value = line;
                    for (int32_t x = 0; x < c.width; x++, value += w->channels)
                        largest = tc_max(*value, largest);
                }
                *output++ = (int8_t)tc_clamp(largest, parameters.low, parameters.high);
            }
        }
    }
}
