/* The part of a sliding window that lies inside the image. */
#ifndef TINYCERB_WINDOW_H
#define TINYCERB_WINDOW_H

#include "kernels.h"

typedef struct {
    int32_t first; /* offset of its first element in the image */
    int32_t line;  /* elements from one line of the window to the next */
    int32_t height, width;
} tc_clipped;

static inline tc_clipped tc_clip(const tc_window *w, int32_t row, int32_t column) {
    const int32_t top = row * w->stride_height - w->pad_top, left = column * w->stride_width - w->pad_left;
    const int32_t first_y = top < 0 ? 0 : top, first_x = left < 0 ? 0 : left;
    int32_t last_y = top + w->kernel_height, last_x = left + w->kernel_width;
    last_y = last_y > w->input_height ? w->input_height : last_y;
    last_x = last_x > w->input_width ? w->input_width : last_x;
    const tc_clipped clipped = {(first_y * w->input_width + first_x) * w->channels, w->input_width * w->channels,
                                last_y - first_y, last_x - first_x};
    return clipped;
}

#endif
