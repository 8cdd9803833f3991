"""ADD and MUL, with broadcasting of one value or one value per channel."""

import numpy as np
import tflite

from converters.c_model.dense import constant_inputs
from converters.c_model.errors import refuse
from converters.c_model.fixed_point import activation_range, quantize_multiplier
from converters.c_model.layer import Layer, Value
from converters.c_model.lowering import Lowering, check_int8, lowers
from converters.model_file import Operator, Tensor


def _period(operator: Operator, tensor: Tensor) -> int:
    """After how many elements the input repeats."""
    whole = operator.outputs[0].shape
    shape = (1,) * (len(whole) - len(tensor.shape)) + tensor.shape
    kept = len(whole) - next((axis for axis, size in enumerate(shape) if size != 1), len(whole))
    if shape[len(whole) - kept :] != whole[len(whole) - kept :]:
        raise refuse(operator, f"broadcasting {list(tensor.shape)} to {list(whole)} is not supported")
    return int(np.prod(shape, dtype=np.int64))


def _lower(to: Lowering, operator: Operator, kernel: str, options: type, scales: dict[str, Value]) -> None:
    first, second, result = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    activation = to.source.options(operator, options).FusedActivationFunction()
    limits = activation_range(activation, result.scales[0], result.zero_points[0])
    if limits is None:
        raise refuse(operator, f"fused activation {activation} is not supported; use none, ReLU or ReLU6")
    constants = constant_inputs(to, operator, 2)
    to.layers.append(
        Layer(
            operator=operator,
            kernel=kernel,
            parameters={
                "count": result.bytes,
                "first_period": _period(operator, first),
                "second_period": _period(operator, second),
                "first_zero_point": first.zero_points[0],
                "second_zero_point": second.zero_points[0],
                "zero_point": result.zero_points[0],
                **scales,
                "low": limits[0],
                "high": limits[1],
            },
            inputs=(first.index, second.index),
            output=result.index,
            in_place=True,
            parameters_type="tc_elementwise_parameters",
            constants=constants,
        )
    )


def _check_two(operator: Operator) -> None:
    check_int8(operator)
    second = operator.inputs[1]
    if second.dtype != "int8" or len(second.scales) != 1:
        raise refuse(operator, f"its second input is {second.dtype} with {len(second.scales)} scales; expected int8")


@lowers("ADD")
def lower_add(to: Lowering, operator: Operator) -> None:
    """Both inputs on twice the larger scale, with 20 extra bits."""
    _check_two(operator)
    first, second = operator.inputs[0].scales[0], operator.inputs[1].scales[0]
    twice = 2 * max(first, second)
    factors = {
        "first_": first / twice,
        "second_": second / twice,
        "": twice / (2**20 * operator.outputs[0].scales[0]),
    }
    scales: dict[str, Value] = {}
    for name, factor in factors.items():
        multiplier, shift = quantize_multiplier(factor)
        scales |= {f"{name}multiplier": multiplier, f"{name}shift": shift}
        if shift > 0:
            raise refuse(operator, "its output scale is more than a million times finer than its inputs' scales")
    _lower(to, operator, "tc_add", tflite.AddOptions, scales)


@lowers("MUL")
def lower_mul(to: Lowering, operator: Operator) -> None:
    """One multiplier, made in float32 as TFLite does."""
    _check_two(operator)
    first, second, result = (np.float32(t.scales[0]) for t in (*operator.inputs[:2], operator.outputs[0]))
    multiplier, shift = quantize_multiplier(float(first * second / result))
    if shift > 13:
        raise refuse(operator, "its output scale is thousands of times finer than the product of its inputs' scales")
    unused: dict[str, Value] = dict.fromkeys(
        ("first_multiplier", "first_shift", "second_multiplier", "second_shift"), 0
    )
    _lower(to, operator, "tc_mul", tflite.MulOptions, {**unused, "multiplier": multiplier, "shift": shift})
