"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN."""

import tflite

from tinycerb.converters.c_model.errors import refuse
from tinycerb.converters.c_model.fixed_point import activation_range, quantize_multiplier
from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.c_model.lowering import Lowering, lowers
from tinycerb.converters.c_model.requirements import (
    Shape,
    require_activation,
    require_fused,
    require_image,
    require_inputs,
    require_integers,
    require_same_quantization,
)
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.c_model.window import lead_bytes, window_output, window_parameters
from tinycerb.converters.model_file import Operator

_LARGEST_WINDOW = 4096


def _window(options: tflite.Pool2DOptions) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], int]:
    """Kernel, strides, dilations and padding."""
    kernel, strides = (options.FilterHeight(), options.FilterWidth()), (options.StrideH(), options.StrideW())
    return kernel, strides, (1, 1), options.Padding()


def check_pool(source: Source, operator: Operator) -> Shape:
    """Input and output have one scale and zero point."""
    require_inputs(operator, 1)
    tensor = require_activation(source, operator)
    require_same_quantization(operator, tensor)
    options = source.options(operator, tflite.Pool2DOptions)
    rows, columns = window_output(operator, *_window(options))
    elements = options.FilterHeight() * options.FilterWidth()
    if elements > _LARGEST_WINDOW:
        raise refuse(operator, f"its window has {elements:,} elements; at most {_LARGEST_WINDOW:,}")
    require_fused(operator, options.FusedActivationFunction())
    return (1, rows, columns, tensor.shape[3])


@lowers("AVERAGE_POOL_2D", "MAX_POOL_2D", check=check_pool, newest=3)
def lower_pool(to: Lowering, operator: Operator) -> None:
    """The window is clipped to the image."""
    source, result = operator.inputs[0], operator.outputs[0]
    options = to.source.options(operator, tflite.Pool2DOptions)
    activation = options.FusedActivationFunction()
    low, high = activation_range(activation, result.scales[0], result.zero_points[0]) or (0, 0)
    window = window_parameters(operator, *_window(options))
    to.layers.append(
        Layer(
            operator=operator,
            kernel=f"tc_{operator.name.lower()}",
            parameters={
                "window": window,
                "low": low,
                "high": high,
            },
            inputs=(source.index,),
            output=result.index,
            parameters_type="tc_pool_parameters",
            lead=lead_bytes(operator, window) if to.target.overlaps else 0,
        )
    )


def check_mean(source: Source, operator: Operator) -> Shape:
    """Over height and width of one image."""
    require_inputs(operator, 2)
    tensor = require_activation(source, operator)
    require_image(operator, tensor)
    options = source.options(operator, tflite.ReducerOptions)
    axes = require_integers(source, operator, 1, "list of axes").reshape(-1).tolist()
    if {axis + 4 if axis < 0 else axis for axis in axes} != {1, 2}:
        raise refuse(operator, f"the mean of {list(tensor.shape)} over axes {axes[:8]}; only height and width")
    positions = tensor.shape[1] * tensor.shape[2]
    _, shift = _mean_multiplier(operator, positions)
    # Sums of values above their zero points stay below 2^8 for each position.
    if 255 * positions << max(shift, 0) >= 2**30:
        raise refuse(
            operator,
            f"its sums can exceed 2^30: {positions:,} positions, its output scale {operator.outputs[0].scales[0]:g}",
        )
    return (1, 1, 1, tensor.shape[3]) if options.KeepDims() else (1, tensor.shape[3])


def _mean_multiplier(operator: Operator, positions: int) -> tuple[int, int]:
    multiplier, shift = quantize_multiplier(operator.inputs[0].scales[0] / operator.outputs[0].scales[0])
    # TFLite folds the division into the multiplier, in 64 bits.
    spare = min(positions.bit_length() - 1, 32, 31 + shift)
    return (multiplier << spare) // positions, shift - spare


@lowers("MEAN", check=check_mean, newest=3)
def lower_mean(to: Lowering, operator: Operator) -> None:
    """The sum above the zero point, requantized."""
    source, result = operator.inputs[0], operator.outputs[0]
    positions = source.shape[1] * source.shape[2]
    multiplier, shift = _mean_multiplier(operator, positions)
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_mean",
            parameters={
                "positions": positions,
                "channels": source.shape[3],
                "offset": -source.zero_points[0] * positions,
                "multiplier": multiplier,
                "shift": shift,
                "zero_point": result.zero_points[0],
            },
            inputs=(source.index,),
            output=result.index,
        )
    )
