"""ADD and MUL, with broadcasting of one value or one value per channel."""

import numpy as np
import tflite

from tinycerb.converters.c_model.dense import constant_inputs
from tinycerb.converters.c_model.errors import refuse, refuse_tensor
from tinycerb.converters.c_model.fixed_point import activation_range, quantize_multiplier
from tinycerb.converters.c_model.layer import Layer, Value
from tinycerb.converters.c_model.lowering import Lowering, lowers
from tinycerb.converters.c_model.requirements import Shape, require_fused, require_inputs, require_int8
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.model_file import Operator

# How far TFLite's kernels broadcast.
_MOST_AXES = {"ADD": 6, "MUL": 4}


def _check(source: Source, operator: Operator, options: type) -> Shape:
    """What ADD and MUL have in common; returns the output's shape."""
    require_inputs(operator, 2)
    first, second = operator.inputs
    require_int8(operator, first, second, operator.outputs[0])
    require_fused(operator, source.options(operator, options).FusedActivationFunction())
    rank = max(len(first.shape), len(second.shape))
    shapes = [(1,) * (rank - len(tensor.shape)) + tensor.shape for tensor in (first, second)]
    whole = tuple(max(sizes) for sizes in zip(*shapes, strict=True))
    if first.shape != second.shape and rank > _MOST_AXES[operator.name]:
        raise refuse(operator, f"broadcasting over {rank} axes is not supported; at most {_MOST_AXES[operator.name]}")
    for tensor, shape in zip((first, second), shapes, strict=True):
        # What repeats must lie back to back: leading axes of 1, then all of the output's.
        kept = shape[next((axis for axis, size in enumerate(shape) if size != 1), rank) :]
        if kept != whole[rank - len(kept) :]:
            raise refuse_tensor(
                operator,
                tensor,
                f"has the shape {list(tensor.shape)}; broadcasting it to {list(whole)} is not supported",
            )
    return whole


def _lower(to: Lowering, operator: Operator, kernel: str, options: type, scales: dict[str, Value]) -> None:
    first, second, result = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    activation = to.source.options(operator, options).FusedActivationFunction()
    low, high = activation_range(activation, result.scales[0], result.zero_points[0]) or (0, 0)
    constants = constant_inputs(to, operator, 2)
    to.layers.append(
        Layer(
            operator=operator,
            kernel=kernel,
            parameters={
                "count": result.bytes,
                "first_period": first.bytes,
                "second_period": second.bytes,
                "first_zero_point": first.zero_points[0],
                "second_zero_point": second.zero_points[0],
                "zero_point": result.zero_points[0],
                **scales,
                "low": low,
                "high": high,
            },
            inputs=(first.index, second.index),
            output=result.index,
            in_place=True,
            parameters_type="tc_elementwise_parameters",
            constants=constants,
        )
    )


def _add_factors(operator: Operator) -> dict[str, tuple[int, int]]:
    """Multipliers and shifts that bring both inputs to twice the larger scale, with 20 extra bits, and back."""
    first, second = operator.inputs[0].scales[0], operator.inputs[1].scales[0]
    twice = 2 * max(first, second)
    factors = {
        "first_": first / twice,
        "second_": second / twice,
        "": twice / (2**20 * operator.outputs[0].scales[0]),
    }
    return {name: quantize_multiplier(factor) for name, factor in factors.items()}


def check_add(source: Source, operator: Operator) -> Shape:
    """Any two scales; the output's at most a million times finer."""
    shape = _check(source, operator, tflite.AddOptions)
    # TFLite doubles the larger one in float32.
    for tensor in operator.inputs:
        if 2 * tensor.scales[0] > float(np.finfo(np.float32).max):
            raise refuse_tensor(operator, tensor, f"has the scale {tensor.scales[0]:g}: its double is no 32-bit float")
    if _add_factors(operator)[""][1] > 0:
        raise refuse(operator, "its output scale is more than a million times finer than its inputs' scales")
    return shape


@lowers("ADD", check=check_add, newest=5)
def lower_add(to: Lowering, operator: Operator) -> None:
    """Both inputs on twice the larger scale, with 20 extra bits."""
    scales: dict[str, Value] = {}
    for name, (multiplier, shift) in _add_factors(operator).items():
        scales |= {f"{name}multiplier": multiplier, f"{name}shift": shift}
    _lower(to, operator, "tc_add", tflite.AddOptions, scales)


def _product_factor(operator: Operator) -> float:
    """In float32, as TFLite makes it."""
    first, second, result = (np.float32(t.scales[0]) for t in (*operator.inputs, operator.outputs[0]))
    with np.errstate(over="ignore"):
        return float(first * second / result)


def check_mul(source: Source, operator: Operator) -> Shape:
    """The output's scale may be some thousand times finer than the product of the inputs' scales."""
    shape = _check(source, operator, tflite.MulOptions)
    # Products of two values above their zero points stay below 2^16: shifted, below 2^30.
    if not _product_factor(operator) < 2**13:
        raise refuse(operator, "its output scale is thousands of times finer than the product of its inputs' scales")
    return shape


@lowers("MUL", check=check_mul, newest=7)
def lower_mul(to: Lowering, operator: Operator) -> None:
    """One multiplier."""
    multiplier, shift = quantize_multiplier(_product_factor(operator))
    unused: dict[str, Value] = dict.fromkeys(
        ("first_multiplier", "first_shift", "second_multiplier", "second_shift"), 0
    )
    _lower(to, operator, "tc_mul", tflite.MulOptions, {**unused, "multiplier": multiplier, "shift": shift})
