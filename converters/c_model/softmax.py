"""SOFTMAX."""

import math

import tflite

from converters.c_model.errors import refuse
from converters.c_model.fixed_point import quantize_multiplier
from converters.c_model.layer import Layer
from converters.c_model.lowering import Lowering, check_int8, lowers
from converters.model_file import Operator


def softmax_scale(step: float) -> dict[str, int]:
    """Returns the members of `tc_softmax_scale`.

    Args:
        step: what one step of the logits is worth, times beta.
    """
    multiplier, shift = quantize_multiplier(min(step * 2**26, 2.0**31 - 1))
    return {
        "multiplier": multiplier,
        "shift": max(shift, 0),
        "smallest": -math.floor(31 * 2**26 / 2**shift) if shift >= 0 else -255,
    }


@lowers("SOFTMAX")
def lower_softmax(to: Lowering, operator: Operator) -> None:
    """Over the last axis; the output is k/256."""
    check_int8(operator)
    source, result = operator.inputs[0], operator.outputs[0]
    if (result.scales[0], result.zero_points[0]) != (1 / 256, -128):
        raise refuse(operator, f"its output scale is {result.scales[0]}; expected 1/256 with zero point -128")
    step = to.source.options(operator, tflite.SoftmaxOptions).Beta() * source.scales[0]
    if step * 2**26 < 1:
        raise refuse(operator, f"its input scale {source.scales[0]} is too small")
    depth = source.shape[-1]
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_softmax",
            parameters={"rows": source.bytes // depth, "depth": depth, "scale": softmax_scale(step)},
            inputs=(source.index,),
            output=result.index,
            scratch_bytes=4 * depth,
            in_place=True,
        )
    )
