"""SOFTMAX."""

import math

import tflite

from tinycerb.converters.c_model.errors import refuse, refuse_tensor
from tinycerb.converters.c_model.fixed_point import quantize_multiplier
from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.c_model.lowering import Lowering, lowers
from tinycerb.converters.c_model.requirements import Shape, require_activation, require_inputs
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.large_softmax import FIRST_OVERFLOW, MOST_CLASSES, is_end, overflows
from tinycerb.converters.model_file import Operator

# A step of the logits in Q5.26 must be more than one.
SMALLEST_STEP = 2.0**-26


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


def check_softmax(source: Source, operator: Operator) -> Shape:
    """Over the last axis; the output is k/256."""
    require_inputs(operator, 1)
    tensor, result = require_activation(source, operator), operator.outputs[0]
    if (result.scales[0], result.zero_points[0]) != (1 / 256, -128):
        raise refuse(operator, f"its output scale is {result.scales[0]}; expected 1/256 with zero point -128")
    if not tensor.shape:
        raise refuse_tensor(operator, tensor, "has no axes; expected the classes on the last one")
    if tensor.shape[-1] > MOST_CLASSES:
        raise refuse(operator, f"it has {tensor.shape[-1]:,} classes; at most {MOST_CLASSES:,}")
    if overflows(operator) and not is_end(source.file, operator):
        raise refuse(
            operator,
            f"it has {tensor.shape[-1]:,} classes, and other layers follow. TFLite's own sum overflows from "
            f"{FIRST_OVERFLOW} classes on: no reference says what they must give",
        )
    beta = source.options(operator, tflite.SoftmaxOptions).Beta()
    if not SMALLEST_STEP < beta * tensor.scales[0] < math.inf:
        raise refuse(operator, f"its beta {beta} times its input scale {tensor.scales[0]:g} is out of range")
    return tensor.shape


@lowers("SOFTMAX", check=check_softmax, newest=3)
def lower_softmax(to: Lowering, operator: Operator) -> None:
    """Row by row, by TFLite's fixed-point exponential."""
    source, result = operator.inputs[0], operator.outputs[0]
    step = to.source.options(operator, tflite.SoftmaxOptions).Beta() * source.scales[0]
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
