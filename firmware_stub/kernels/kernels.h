/* Parameters of the kernels, as model.c fills them in, and the kernels themselves. */
#ifndef TINYCERB_KERNELS_H
#define TINYCERB_KERNELS_H

#include "tinycerb.h"

/* Rows of int8 weights, packed for the target, and how their sums become int8.
 * bias holds bias - input zero point * sum of the row's weights. */
typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts; /* positive: to the left */
    int32_t rows;
    int32_t depth;
    int32_t zero_point;
    int32_t low;
    int32_t high;
    int32_t plain; /* 1: all shifts go to the right and the range ends at 127 */
} tc_product;

/* A window that slides over an image [height, width, channels]. */
typedef struct {
    int32_t input_height, input_width, channels;
    int32_t output_height, output_width;
    int32_t kernel_height, kernel_width;
    int32_t stride_height, stride_width;
    int32_t dilation_height, dilation_width;
    int32_t pad_top, pad_left;
} tc_window;

typedef struct {
    tc_product product;
    tc_window window;
    int32_t fill;   /* what stands outside the image: the input's zero point */
    int32_t direct; /* 1: every column already lies in the input (1x1, stride 1) */
} tc_conv_2d_parameters;

typedef struct {
    tc_product product; /* rows: output channels; depth: window size */
    tc_window window;
    int32_t fill;
    int32_t multiplier; /* output channels per input channel */
} tc_depthwise_conv_2d_parameters;

typedef struct {
    tc_product product; /* rows of ONE head */
    int32_t batch;
    int32_t weight_zero_point;
    int32_t head_weights; /* bytes of packed weights per head, 0: the head does not matter */
} tc_fully_connected_parameters;

typedef struct {
    tc_window window;
    int32_t low, high;
} tc_pool_parameters;

typedef struct {
    int32_t positions, channels;
    int32_t offset; /* -zero point * positions */
    int32_t multiplier, shift, zero_point;
} tc_mean_parameters;

/* Both inputs repeat after `period` elements: a whole tensor, one value per channel, or a single value. */
typedef struct {
    int32_t count, first_period, second_period;
    int32_t first_zero_point, second_zero_point, zero_point;
    int32_t first_multiplier, first_shift, second_multiplier, second_shift, multiplier, shift;
    int32_t low, high;
} tc_elementwise_parameters;

typedef struct {
    int32_t rows, depth;
    tc_softmax_scale scale;
} tc_softmax_parameters;

typedef struct {
    int32_t count;
    const int8_t *table; /* 256 answers, index: input + 128 */
} tc_lookup_parameters;

/* Copies a block of up to five axes; strides are in elements. */
typedef struct {
    int32_t extent[5], input_stride[5], output_stride[5];
    int32_t output_offset, input_offset;
    int32_t fill_count; /* elements of the output that are set to `fill` first, 0: none */
    int32_t fill;
} tc_block_copy_parameters;

typedef struct {
    int32_t row_bytes;
} tc_head_select_parameters;

void tc_conv_2d(const tc_layer *layer, int32_t head);
void tc_depthwise_conv_2d(const tc_layer *layer, int32_t head);
void tc_fully_connected(const tc_layer *layer, int32_t head);
void tc_average_pool_2d(const tc_layer *layer, int32_t head);
void tc_max_pool_2d(const tc_layer *layer, int32_t head);
void tc_mean(const tc_layer *layer, int32_t head);
void tc_add(const tc_layer *layer, int32_t head);
void tc_mul(const tc_layer *layer, int32_t head);
void tc_softmax(const tc_layer *layer, int32_t head);
void tc_lookup(const tc_layer *layer, int32_t head);
void tc_block_copy(const tc_layer *layer, int32_t head);
void tc_head_select(const tc_layer *layer, int32_t head);

/* What each family of cores brings of its own (kernels/portable, kernels/dsp, kernels/mve). */

/* Multiplies two int8 columns [depth] with all rows. The columns and their outputs may be the same. */
void tc_multiply_two(const tc_product *product, const int8_t *const columns[2], int8_t *const outputs[2],
                     void *scratch);
/* Multiplies one column; `offset` is added to every sum. */
void tc_multiply_one(const tc_product *product, const int8_t *column, int32_t offset, int8_t *output, void *scratch);
/* Computes output channels `from` .. rows - 1 of one pixel; taps[t] is where the window's element t begins. */
void tc_depthwise_pixel(const tc_depthwise_conv_2d_parameters *parameters, const int8_t *const *taps, int8_t *output);
/* The same for any channel multiplier, one channel at a time. */
void tc_depthwise_channels(const tc_depthwise_conv_2d_parameters *parameters, const int8_t *const *taps, int32_t from,
                           int8_t *output);

/* TFLite's int8 SOFTMAX of one row, as codes 0 .. 255; exponentials: int32 [depth] of working memory. */
void tc_softmax_row(const tc_softmax_scale *scale, const int8_t *logits, int32_t depth, int32_t *exponentials,
                    uint8_t *codes);

#endif
