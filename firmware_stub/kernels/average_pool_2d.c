/* AVERAGE_POOL_2D: the mean of the raw values inside the image, halves away from zero. */
#include "fixed_point.h"
#include "kernels.h"
#include "window.h"

void tc_average_pool_2d(const tc_layer *layer, int32_t head) {
    (void)head;
    const tc_pool_parameters parameters = *(const tc_pool_parameters *)layer->parameters;
    const tc_window *w = &parameters.window;
    int8_t *output = layer->output;
    for (int32_t row = 0; row < w->output_height; row++) {
        for (int32_t column = 0; column < w->output_width; column++) {
            const tc_clipped c = tc_clip(w, row, column);
            const int32_t count = c.height * c.width;
            /* Dividing by `count` as multiplying by its inverse is exact while |sum| * count < 2^32: the converter
             * refuses windows of more than 4,096 elements. */
            const uint32_t inverse = count == 1 ? 0 : 0xFFFFFFFFu / (uint32_t)count + 1;
            const uint32_t keep = count == 1 ? 0xFFFFFFFFu : 0;
            for (int32_t channel = 0; channel < w->channels; channel++) {
                const int8_t *line = layer->input + c.first + channel;
                int32_t sum = 0;
                for (int32_t y = 0; y < c.height; y++, line += c.line) {
                    const int8_t *value = line;
                    for (int32_t x = 0; x < c.width; x++, value += w->channels)
                        sum += *value;
                }
                const int32_t sign = sum >> 31;
                const uint32_t magnitude = (uint32_t)((sum ^ sign) - sign) + (uint32_t)(count / 2);
                const uint32_t mean = (uint32_t)(((uint64_t)magnitude * inverse) >> 32) + (magnitude & keep);
                *output++ = (int8_t)tc_clamp(((int32_t)mean ^ sign) - sign, parameters.low, parameters.high);
            }
        }
    }
}
