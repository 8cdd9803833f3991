"""CONV_2D and DEPTHWISE_CONV_2D."""

import numpy as np
import tflite

from tinycerb.converters.c_model.errors import refuse_tensor
from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.c_model.lowering import Lowering, lowers
from tinycerb.converters.c_model.product import product_parameters, read_weights, row_multipliers
from tinycerb.converters.c_model.requirements import Shape, require_activation, require_fused, require_inputs
from tinycerb.converters.c_model.row_sums import Rows
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.c_model.weights import require_bias, require_multipliers, require_weights
from tinycerb.converters.c_model.window import lead_bytes, window_output, window_parameters
from tinycerb.converters.model_file import Operator

ConvolutionOptions = tflite.Conv2DOptions | tflite.DepthwiseConv2DOptions

_OPTIONS = {"CONV_2D": tflite.Conv2DOptions, "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions}


def _check(source: Source, operator: Operator, axis: int) -> tuple[np.ndarray, Shape]:
    """What both have in common; returns the weights, and the output's shape for filters along `axis`."""
    # TFLite's CONV_2D wants a bias.
    require_inputs(operator, 3 if operator.name == "CONV_2D" else 2, 3)
    require_activation(source, operator)
    options = source.options(operator, _OPTIONS[operator.name])
    weights = require_weights(source, operator, 4, axis)
    rows, columns = window_output(operator, (weights.shape[1], weights.shape[2]), *_steps(options), options.Padding())
    filters = weights.shape[axis]
    require_bias(source, operator, filters)
    require_fused(operator, options.FusedActivationFunction())
    require_multipliers(operator, filters)
    return weights, (1, rows, columns, filters)


def check_conv_2d(source: Source, operator: Operator) -> Shape:
    """Weights [filters, height, width, channels]."""
    weights, shape = _check(source, operator, 0)
    channels = operator.inputs[0].shape[3]
    if weights.shape[3] != channels:
        raise refuse_tensor(
            operator,
            operator.inputs[1],
            f"has {weights.shape[3]} channels, the image has {channels}; grouped convolution is not supported",
        )
    return shape


def check_depthwise_conv_2d(source: Source, operator: Operator) -> Shape:
    """Weights [1, height, width, channels * multiplier]."""
    weights, shape = _check(source, operator, 3)
    channels = operator.inputs[0].shape[3]
    if weights.shape[0] != 1 or weights.shape[3] % channels:
        raise refuse_tensor(
            operator,
            operator.inputs[1],
            f"has the shape {list(weights.shape)}; expected [1, height, width, a multiple of {channels}]",
        )
    return shape


def _steps(options: ConvolutionOptions) -> tuple[tuple[int, int], tuple[int, int]]:
    """Strides and dilations."""
    return (options.StrideH(), options.StrideW()), (options.DilationHFactor(), options.DilationWFactor())


def kernel_and_window(
    to: Lowering, operator: Operator
) -> tuple[ConvolutionOptions, np.ndarray, np.ndarray, dict[str, int]]:
    """Returns a convolution's options, int8 weights as stored, int32 biases, and the members of `tc_window`."""
    options = to.source.options(operator, _OPTIONS[operator.name])
    weights, bias = read_weights(to.source, operator)
    window = window_parameters(operator, (weights.shape[1], weights.shape[2]), *_steps(options), options.Padding())
    return options, weights, bias, window


@lowers("CONV_2D", check=check_conv_2d, newest=6)
def lower_conv_2d(to: Lowering, operator: Operator) -> None:
    """Every filter reads all channels of its window."""
    options, weights, bias, window = kernel_and_window(to, operator)
    matrix = weights.reshape(len(weights), -1)
    depth = matrix.shape[1]
    direct = weights.shape[1:3] == (1, 1) and (options.StrideH(), options.StrideW()) == (1, 1)
    rows = Rows(matrix, bias, row_multipliers(operator, len(weights)))
    product = product_parameters(operator, rows, to.target.pack, options.FusedActivationFunction())
    gathered = 0 if direct else 2 * (depth + (-depth % 8))
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_conv_2d",
            parameters={
                "product": product,
                "window": window,
                "fill": operator.inputs[0].zero_points[0],
                "direct": int(direct),
            },
            inputs=(operator.inputs[0].index,),
            output=operator.outputs[0].index,
            scratch_bytes=gathered + to.target.column_bytes(2, depth),
            in_place=direct and to.target.widens,
            lead=lead_bytes(operator, window) if to.target.overlaps else 0,
        )
    )


def in_taps(rows: np.ndarray) -> np.ndarray:
    """Orders the weights of single channels [channels, taps] tap by tap, as DEPTHWISE_CONV_2D stores them."""
    return rows.T.reshape(-1)


@lowers("DEPTHWISE_CONV_2D", check=check_depthwise_conv_2d, newest=6)
def lower_depthwise_conv_2d(to: Lowering, operator: Operator) -> None:
    """Every channel has its own window."""
    options, weights, bias, window = kernel_and_window(to, operator)
    channels = operator.inputs[0].shape[-1]
    taps = int(np.prod(weights.shape[1:3]))
    by_tap = weights.reshape(taps, -1)
    rows = Rows(by_tap.T, bias, row_multipliers(operator, by_tap.shape[1]))
    product = product_parameters(operator, rows, in_taps, options.FusedActivationFunction())
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_depthwise_conv_2d",
            parameters={
                "product": product,
                "window": window,
                "fill": operator.inputs[0].zero_points[0],
                "multiplier": by_tap.shape[1] // channels,
            },
            inputs=(operator.inputs[0].index,),
            output=operator.outputs[0].index,
            scratch_bytes=taps * to.target.pointer_bytes + channels,
            lead=lead_bytes(operator, window) if to.target.overlaps else 0,
        )
    )
