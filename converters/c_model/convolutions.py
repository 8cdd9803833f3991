"""CONV_2D and DEPTHWISE_CONV_2D."""

from typing import Any

import numpy as np
import tflite

from converters.c_model.errors import refuse
from converters.c_model.layer import Layer
from converters.c_model.lowering import Lowering, check_int8, lowers
from converters.c_model.product import product_parameters, read_weights, row_multipliers
from converters.c_model.window import lead_bytes, window_parameters
from converters.model_file import Operator

_OPTIONS = {"CONV_2D": tflite.Conv2DOptions, "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions}


def kernel_and_window(to: Lowering, operator: Operator) -> tuple[Any, np.ndarray, np.ndarray, dict[str, int]]:
    """Returns a convolution's options, int8 weights as stored, int32 biases, and the members of `tc_window`."""
    check_int8(operator)
    options = to.source.options(operator, _OPTIONS[operator.name])
    weights, bias = read_weights(to.source, operator)
    if operator.name == "CONV_2D" and weights.shape[3] != operator.inputs[0].shape[-1]:
        raise refuse(operator, "grouped convolution is not supported")
    strides = (options.StrideH(), options.StrideW())
    dilations = (options.DilationHFactor(), options.DilationWFactor())
    window = window_parameters(operator, (weights.shape[1], weights.shape[2]), strides, dilations, options.Padding())
    return options, weights, bias, window


@lowers("CONV_2D")
def lower_conv_2d(to: Lowering, operator: Operator) -> None:
    """Weights [filters, height, width, channels]."""
    options, weights, bias, window = kernel_and_window(to, operator)
    matrix = weights.reshape(len(weights), -1)
    depth = matrix.shape[1]
    direct = weights.shape[1:3] == (1, 1) and (options.StrideH(), options.StrideW()) == (1, 1)
    product = product_parameters(
        operator,
        to.target.pack(matrix),
        matrix,
        bias,
        row_multipliers(operator, len(weights)),
        options.FusedActivationFunction(),
    )
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


@lowers("DEPTHWISE_CONV_2D")
def lower_depthwise_conv_2d(to: Lowering, operator: Operator) -> None:
    """Weights [1, height, width, channels * multiplier]; every channel has its own window."""
    options, weights, bias, window = kernel_and_window(to, operator)
    channels = operator.inputs[0].shape[-1]
    taps = int(np.prod(weights.shape[1:3]))
    by_tap = weights.reshape(taps, -1)
    product = product_parameters(
        operator,
        by_tap.reshape(-1),
        by_tap.T,
        bias,
        row_multipliers(operator, by_tap.shape[1]),
        options.FusedActivationFunction(),
    )
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
