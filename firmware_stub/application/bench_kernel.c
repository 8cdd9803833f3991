/* One layer, run by TinyCerb's kernel and by CMSIS-NN's on the same data: ticks of both, and whether they agree.
 *
 * bench_case.h holds the layer as CMSIS-NN wants it; model.c holds it as TinyCerb does. The output file gets three
 * uint64: ticks of TinyCerb's kernel, ticks of CMSIS-NN's, number of differing bytes. */
#include "arm_nnfunctions.h"
#include "bench_case.h"
#include "model.h"
#include "semihosting.h"
#include "target.h"
#include <string.h>

static int8_t image[TC_INPUT_BYTES], reference[TC_OUTPUT_BYTES];
static int32_t scratch[32768];

/* What versions since 4.0.0 want on cores with MVE for a dense layer: each row's bias with its share of the zero point.
 * It depends on weights alone and is made once, so that its ticks do not count. */
static void prepare_cmsis_nn(void) {
#if BENCH_KIND == 2
    for (int32_t row = 0; row < BENCH_FILTERS; row++) {
        scratch[row] = bench_bias[row];
        for (int32_t i = 0; i < BENCH_CHANNELS; i++)
            scratch[row] -= BENCH_INPUT_ZERO * bench_weights[row * BENCH_CHANNELS + i];
    }
#endif
}

static arm_cmsis_nn_status run_cmsis_nn(void) {
    const cmsis_nn_context context = {scratch, sizeof scratch};
    const cmsis_nn_dims input = {1, BENCH_HEIGHT, BENCH_WIDTH, BENCH_CHANNELS};
    const cmsis_nn_dims output = {1, BENCH_HEIGHT, BENCH_WIDTH, BENCH_FILTERS};
    const cmsis_nn_dims bias_size = {1, 1, 1, BENCH_FILTERS};
    const cmsis_nn_activation range = {-128, 127};
#if BENCH_KIND == 2
    const cmsis_nn_dims filter = {BENCH_CHANNELS, 1, 1, BENCH_FILTERS};
    const cmsis_nn_fc_params parameters = {-BENCH_INPUT_ZERO, 0, BENCH_OUTPUT_ZERO, range};
    const cmsis_nn_per_tensor_quant_params scales = {bench_multipliers[0], bench_shifts[0]};
    return arm_fully_connected_s8(&context, &parameters, &scales, &input, image, &filter, bench_weights, &bias_size,
                                  bench_bias, &output, reference);
#else
    const cmsis_nn_per_channel_quant_params scales = {bench_multipliers, bench_shifts};
    const cmsis_nn_tile one = {1, 1}, padding = {BENCH_KERNEL / 2, BENCH_KERNEL / 2};
#if BENCH_KIND == 1
    const cmsis_nn_dims filter = {1, BENCH_KERNEL, BENCH_KERNEL, BENCH_FILTERS};
    const cmsis_nn_dw_conv_params parameters = {-BENCH_INPUT_ZERO, BENCH_OUTPUT_ZERO, 1, one, padding, one, range};
    return arm_depthwise_conv_wrapper_s8(&context, &parameters, &scales, &input, image, &filter, bench_weights,
                                         &bias_size, bench_bias, &output, reference);
#else
    const cmsis_nn_dims filter = {BENCH_FILTERS, BENCH_KERNEL, BENCH_KERNEL, BENCH_CHANNELS};
    const cmsis_nn_conv_params parameters = {-BENCH_INPUT_ZERO, BENCH_OUTPUT_ZERO, one, padding, one, range};
    return arm_convolve_wrapper_s8(&context, &parameters, &scales, &input, image, &filter, bench_weights, &bias_size,
                                   bench_bias, &output, reference);
#endif
#endif
}

int main(void) {
    const int input = semihosting_open("input.bin", SEMIHOSTING_READ);
    const int file = semihosting_open("output.bin", SEMIHOSTING_WRITE);
    if (input < 0 || file < 0 || semihosting_read(input, image, TC_INPUT_BYTES) != 0)
        return 2;
    const tc_model *model = &tc_model_instance;
    uint64_t result[3];
    memcpy(model->input, image, TC_INPUT_BYTES);
    target_ticks_start();
    uint32_t began = target_ticks_now();
    model->layers[0].run(&model->layers[0], 0);
    result[0] = target_ticks_since(began);
    prepare_cmsis_nn();
    target_ticks_start();
    began = target_ticks_now();
    if (run_cmsis_nn() != ARM_CMSIS_NN_SUCCESS)
        return 3;
    result[1] = target_ticks_since(began);
    result[2] = 0;
    for (int32_t i = 0; i < TC_OUTPUT_BYTES; i++)
        result[2] += model->output[i] != reference[i];
    semihosting_write(file, result, sizeof result);
    semihosting_close(file);
    return 0;
}
