"""RELU, RELU6, LOGISTIC and QUANTIZE: functions of one value, tabulated."""

import numpy as np

from tinycerb.converters.c_model.errors import refuse, refuse_tensor
from tinycerb.converters.c_model.fixed_point import activation_range, quantize_multiplier, scale_integer
from tinycerb.converters.c_model.layer import Array, Layer
from tinycerb.converters.c_model.lowering import Lowering, lowers
from tinycerb.converters.c_model.requirements import Shape, require_activation, require_inputs, require_six
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.model_file import Operator

_VALUES = range(-128, 128)


def _append(to: Lowering, operator: Operator, table: list[int] | np.ndarray) -> None:
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_lookup",
            parameters={"count": operator.outputs[0].bytes, "table": Array(np.array(table, np.int8))},
            inputs=(operator.inputs[0].index,),
            output=operator.outputs[0].index,
            in_place=True,
        )
    )


def _requantized(operator: Operator, low: int, high: int) -> list[int]:
    multiplier, shift = quantize_multiplier(_factor(operator))
    before, after = operator.inputs[0].zero_points[0], operator.outputs[0].zero_points[0]
    return [min(max(scale_integer(value - before, multiplier, shift) + after, low), high) for value in _VALUES]


def _factor(operator: Operator) -> float:
    """Input scale by output scale; RELU divides in float32."""
    before, after = operator.inputs[0].scales[0], operator.outputs[0].scales[0]
    if operator.name == "QUANTIZE":
        return before / after
    with np.errstate(over="ignore"):
        return float(np.float32(before) / np.float32(after))


def _check(source: Source, operator: Operator) -> Shape:
    """Any scales at which TFLite's arithmetic stays within 32 bits; returns the output's shape."""
    require_inputs(operator, 1)
    tensor = require_activation(source, operator)
    # Values above their zero point stay below 2^8: shifted, below 2^30.
    if not _factor(operator) < 2**22:
        raise refuse(operator, "its output scale is more than four million times finer than its input's")
    return tensor.shape


def check_relu(source: Source, operator: Operator) -> Shape:
    """RELU6 needs a six that 32 bits hold."""
    if operator.name == "RELU6" and len(operator.outputs[0].scales) == 1:
        require_six(operator)
    return _check(source, operator)


def check_logistic(source: Source, operator: Operator) -> Shape:
    """TFLite fixes the output's scale and zero point."""
    require_inputs(operator, 1)
    tensor, result = require_activation(source, operator), operator.outputs[0]
    if (result.scales[0], result.zero_points[0]) != (1 / 256, -128):
        raise refuse_tensor(
            operator,
            result,
            f"has scale {result.scales[0]:g} and zero point {result.zero_points[0]}; expected 1/256 and -128",
        )
    return tensor.shape


@lowers("RELU", "RELU6", check=check_relu, newest=3)
def lower_relu(to: Lowering, operator: Operator) -> None:
    """Requantized to the output's scale, then clamped."""
    result = operator.outputs[0]
    activation = {"RELU": 1, "RELU6": 3}[operator.name]
    low, high = activation_range(activation, result.scales[0], result.zero_points[0]) or (0, 0)
    _append(to, operator, _requantized(operator, low, high))


@lowers("QUANTIZE", check=_check, newest=2)
def lower_quantize(to: Lowering, operator: Operator) -> None:
    """From one int8 scale to another."""
    _append(to, operator, _requantized(operator, -128, 127))


@lowers("LOGISTIC", check=check_logistic, newest=3)
def lower_logistic(to: Lowering, operator: Operator) -> None:
    """TFLite makes the same table, in float32."""
    source, result = operator.inputs[0], operator.outputs[0]
    values = np.float32(source.scales[0]) * (np.arange(-128, 128) - source.zero_points[0]).astype(np.float32)
    # NumPy's own float32 exponential is one bit beside the C library's now and then; the rounded double is not.
    with np.errstate(over="ignore"):
        powers = np.exp(-values.astype(np.float64)).astype(np.float32)
    exact = np.float32(1) / (np.float32(1) + powers)
    scaled = exact * (np.float32(1) / np.float32(result.scales[0]))
    rounded = np.floor(scaled + np.float32(0.5)) + result.zero_points[0]
    _append(to, operator, np.clip(rounded, -128, 127))
