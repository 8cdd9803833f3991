"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN."""

import tflite

from converters.c_model.errors import refuse
from converters.c_model.fixed_point import activation_range, quantize_multiplier
from converters.c_model.layer import Layer
from converters.c_model.lowering import Lowering, check_int8, lowers
from converters.c_model.window import lead_bytes, window_parameters
from converters.model_file import Operator

_LARGEST_WINDOW = 4096


@lowers("AVERAGE_POOL_2D", "MAX_POOL_2D")
def lower_pool(to: Lowering, operator: Operator) -> None:
    """Input and output have one scale and zero point."""
    check_int8(operator)
    source, result = operator.inputs[0], operator.outputs[0]
    if (source.scales, source.zero_points) != (result.scales, result.zero_points):
        raise refuse(operator, "its input and output differ in scale or zero point")
    options = to.source.options(operator, tflite.Pool2DOptions)
    kernel = (options.FilterHeight(), options.FilterWidth())
    if kernel[0] * kernel[1] > _LARGEST_WINDOW:
        raise refuse(operator, f"its window has {kernel[0] * kernel[1]:,} elements; at most {_LARGEST_WINDOW:,}")
    limits = activation_range(options.FusedActivationFunction(), result.scales[0], result.zero_points[0])
    if limits is None:
        raise refuse(operator, f"fused activation {options.FusedActivationFunction()}; use none, ReLU or ReLU6")
    strides = (options.StrideH(), options.StrideW())
    window = window_parameters(operator, kernel, strides, (1, 1), options.Padding())
    to.layers.append(
        Layer(
            operator=operator,
            kernel=f"tc_{operator.name.lower()}",
            parameters={
                "window": window,
                "low": limits[0],
                "high": limits[1],
            },
            inputs=(source.index,),
            output=result.index,
            parameters_type="tc_pool_parameters",
            lead=lead_bytes(operator, window) if to.target.overlaps else 0,
        )
    )


@lowers("MEAN")
def lower_mean(to: Lowering, operator: Operator) -> None:
    """Over height and width of one image."""
    check_int8(operator)
    source, result = operator.inputs[0], operator.outputs[0]
    axes = {int(axis) % len(source.shape) for axis in to.source.required_constant(operator, 1, "list of axes").flat}
    if len(source.shape) != 4 or source.shape[0] != 1 or axes != {1, 2}:
        raise refuse(operator, f"the mean of {list(source.shape)} over axes {sorted(axes)}; only height and width")
    positions = source.shape[1] * source.shape[2]
    multiplier, shift = quantize_multiplier(source.scales[0] / result.scales[0])
    # TFLite folds the division into the multiplier, in 64 bits.
    spare = min(63 - (64 - positions.bit_length()), 32, 31 + shift)
    multiplier, shift = (multiplier << spare) // positions, shift - spare
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
