/* Thin adapters to somebody's CMSIS-NN tree: what model.c gives them, and how they pass it on.
 * Weights and biases lie there as in the .tflite file. */
#ifndef TINYCERB_CMSIS_NN_H
#define TINYCERB_CMSIS_NN_H

#include "kernels.h"

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multipliers, *shifts;
    int32_t rows;
    int32_t input_zero_point, output_zero_point;
    int32_t low, high;
} tc_cmsis_nn_product;

typedef struct {
    tc_cmsis_nn_product product;
    tc_window window;
    int32_t multiplier;    /* depthwise: output channels per input channel */
    int32_t scratch_bytes; /* what the converter set aside */
} tc_cmsis_nn_conv_2d_parameters;

typedef struct {
    tc_cmsis_nn_product product; /* rows of ONE head */
    int32_t batch, depth;
    int32_t per_channel; /* 1: a multiplier for each row, 0: the first serves all */
    int32_t weight_zero_point;
    int32_t by_head;            /* 1: the selected head's rows only */
    const int32_t *offset_sums; /* -input zero point * sum of each row's weights for cores with MVE, else NULL */
} tc_cmsis_nn_fully_connected_parameters;

typedef struct {
    tc_window window;
    int32_t low, high;
    int32_t scratch_bytes;
} tc_cmsis_nn_pool_parameters;

void tc_cmsis_nn_conv_2d(const tc_layer *layer, int32_t head);
void tc_cmsis_nn_depthwise_conv_2d(const tc_layer *layer, int32_t head);
void tc_cmsis_nn_fully_connected(const tc_layer *layer, int32_t head);
void tc_cmsis_nn_average_pool_2d(const tc_layer *layer, int32_t head);
void tc_cmsis_nn_max_pool_2d(const tc_layer *layer, int32_t head);

/* Another version of CMSIS-NN may want more working memory, or refuse a layer: better a fault than a wrong answer. */
static inline void tc_cmsis_nn_require(int holds) {
    if (!holds)
        __builtin_trap();
}

#endif
