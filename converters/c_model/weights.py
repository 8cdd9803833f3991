"""What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED ask of their weights and biases."""

import numpy as np

from tinycerb.converters.c_model.errors import refuse, refuse_tensor
from tinycerb.converters.c_model.product import row_multipliers
from tinycerb.converters.c_model.requirements import require_rank
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.model_file import Operator

# TFLite shifts a sum by so many bits at most.
_MOST_SHIFT = 30


def require_weights(source: Source, operator: Operator, rank: int, axis: int, symmetric: bool = True) -> np.ndarray:
    """Returns int8 weights as stored.

    Args:
        source: the file.
        operator: an operator with an int8 image or vector, weights, and perhaps a bias.
        rank: number of the weights' axes.
        axis: the one of the output channels, along which scales may differ.
        symmetric: whether the zero point must be 0 where all channels have one scale.

    Raises:
        UnsupportedModelError: no constant, another type or rank, scales along another axis, or a zero point.
    """
    tensor = operator.inputs[1]
    values = source.required_constant(operator, 1, "weight tensor")
    if values.dtype != np.int8 or not tensor.scales:
        raise refuse_tensor(operator, tensor, f"is {values.dtype} with {len(tensor.scales)} scales; expected int8")
    require_rank(operator, tensor, (rank,))
    rows = tensor.shape[axis]
    single = len(tensor.scales) == 1
    if not single and (len(tensor.scales) != rows or tensor.quantized_dimension != axis):
        raise refuse_tensor(
            operator,
            tensor,
            f"has {len(tensor.scales)} scales along axis {tensor.quantized_dimension}; expected 1, or {rows} along "
            f"axis {axis}",
        )
    if (symmetric or not single) and any(tensor.zero_points):
        raise refuse_tensor(operator, tensor, "has a zero point; expected 0")
    return values


def require_bias(source: Source, operator: Operator, rows: int) -> None:
    """Refuses a third input that is not `rows` constant int32 numbers with zero point 0; there may be none."""
    if len(operator.inputs) < 3:
        return
    tensor = operator.inputs[2]
    values = source.required_constant(operator, 2, "bias")
    if values.dtype != np.int32 or values.size != rows:
        raise refuse_tensor(operator, tensor, f"is {values.dtype}{list(values.shape)}; expected int32[{rows}]")
    if any(tensor.zero_points):
        raise refuse_tensor(operator, tensor, "has a zero point; expected 0")


def require_multipliers(operator: Operator, rows: int, rounded_product: bool = False) -> None:
    """Refuses scales at which TFLite's shift of the sums is undefined."""
    if rounded_product:
        with np.errstate(over="ignore"):
            product = np.float32(operator.inputs[0].scales[0]) * np.float32(operator.inputs[1].scales[0])
        if not np.isfinite(product):
            raise refuse(operator, "the product of its input's and its weights' scales is no 32-bit float")
    for row, (_, shift) in enumerate(row_multipliers(operator, rows, rounded_product)):
        if shift > _MOST_SHIFT:
            raise refuse(
                operator,
                f"the sums of channel {row} are shifted left by {shift} bits; at most {_MOST_SHIFT}. "
                f"Its output scale {operator.outputs[0].scales[0]:g} is too fine",
            )
