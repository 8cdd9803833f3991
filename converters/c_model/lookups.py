"""RELU, RELU6, LOGISTIC and QUANTIZE: functions of one value, tabulated."""

from typing import cast

import numpy as np

from converters.c_model.fixed_point import activation_range, quantize_multiplier, scale_integer
from converters.c_model.layer import Array, Layer
from converters.c_model.lowering import Lowering, check_int8, lowers
from converters.model_file import Operator

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


def _requantized(operator: Operator, factor: float, low: int, high: int) -> list[int]:
    multiplier, shift = quantize_multiplier(factor)
    before, after = operator.inputs[0].zero_points[0], operator.outputs[0].zero_points[0]
    return [min(max(scale_integer(value - before, multiplier, shift) + after, low), high) for value in _VALUES]


@lowers("RELU", "RELU6")
def lower_relu(to: Lowering, operator: Operator) -> None:
    """Requantized to the output's scale, then clamped."""
    check_int8(operator)
    result = operator.outputs[0]
    limits = activation_range({"RELU": 1, "RELU6": 3}[operator.name], result.scales[0], result.zero_points[0])
    low, high = cast(tuple[int, int], limits)
    factor = float(np.float32(operator.inputs[0].scales[0]) / np.float32(result.scales[0]))
    _append(to, operator, _requantized(operator, factor, low, high))


@lowers("QUANTIZE")
def lower_quantize(to: Lowering, operator: Operator) -> None:
    """From one int8 scale to another."""
    check_int8(operator)
    factor = operator.inputs[0].scales[0] / operator.outputs[0].scales[0]
    _append(to, operator, _requantized(operator, factor, -128, 127))


@lowers("LOGISTIC")
def lower_logistic(to: Lowering, operator: Operator) -> None:
    """TFLite makes the same table, in float32."""
    check_int8(operator)
    source, result = operator.inputs[0], operator.outputs[0]
    values = np.float32(source.scales[0]) * (np.arange(-128, 128) - source.zero_points[0]).astype(np.float32)
    exact = np.float32(1) / (np.float32(1) + np.exp(-values))
    scaled = exact * (np.float32(1) / np.float32(result.scales[0]))
    rounded = np.floor(scaled + np.float32(0.5)) + result.zero_points[0]
    _append(to, operator, np.clip(rounded, -128, 127))
