"""Weights, folded biases and multipliers: what CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share."""

import numpy as np

from tinycerb.converters.c_model.errors import refuse
from tinycerb.converters.c_model.fixed_point import activation_range, quantize_multiplier
from tinycerb.converters.c_model.layer import Array, Value
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.model_file import Operator


def read_weights(source: Source, operator: Operator) -> tuple[np.ndarray, np.ndarray]:
    """Returns int8 weights as stored and the int32 bias of each row (zeros where there is none)."""
    weights = source.required_constant(operator, 1, "weight tensor")
    if weights.dtype != np.int8:
        raise refuse(operator, f"its weights are {operator.inputs[1].dtype}; expected int8")
    rows = operator.outputs[0].shape[-1]
    if len(operator.inputs) < 3:
        return weights, np.zeros(rows, np.int32)
    bias = source.required_constant(operator, 2, "bias")
    if bias.dtype != np.int32:
        raise refuse(operator, f"its bias is {operator.inputs[2].dtype}; expected int32")
    return weights, bias


def row_multipliers(operator: Operator, rows: int, rounded_product: bool = False) -> list[tuple[int, int]]:
    """Returns multiplier and shift of each row.

    Args:
        operator: the operator.
        rows: number of output channels.
        rounded_product: round the product of both scales to float32 first, as FULLY_CONNECTED with one scale does.
    """
    source_scale, scales, output_scale = (
        operator.inputs[0].scales[0],
        operator.inputs[1].scales,
        operator.outputs[0].scales[0],
    )
    if len(scales) not in (1, rows):
        raise refuse(operator, f"its weights have {len(scales)} scales; expected 1 or {rows}")
    if rounded_product:
        product = float(np.float32(source_scale) * np.float32(scales[0]))
        return [quantize_multiplier(product / output_scale)] * rows
    each = scales * rows if len(scales) == 1 else scales
    return [quantize_multiplier(source_scale * scale / output_scale) for scale in each]


def product_parameters(
    operator: Operator,
    packed: np.ndarray,
    matrix: np.ndarray,
    bias: np.ndarray,
    multipliers: list[tuple[int, int]],
    activation: int,
    rows: int | None = None,
    weight_zero_point: int = 0,
) -> dict[str, Value]:
    """Returns the members of `tc_product`.

    Args:
        operator: the operator.
        packed: int8 weights in the target's order.
        matrix: int8 [all rows, depth], the same weights as a matrix.
        bias: int32 [all rows].
        multipliers: multiplier and shift of each row.
        activation: the fused activation.
        rows: rows that are computed per call; all by default.
        weight_zero_point: zero point of the weights.

    Raises:
        UnsupportedModelError: another activation, or a sum that could leave the range of the fixed-point arithmetic.
    """
    zero_point = operator.inputs[0].zero_points[0]
    limits = activation_range(activation, operator.outputs[0].scales[0], operator.outputs[0].zero_points[0])
    if limits is None:
        raise refuse(operator, f"fused activation {activation} is not supported; use none, ReLU or ReLU6")
    wide = matrix.astype(np.int64)
    folded = bias - zero_point * wide.sum(axis=1) + zero_point * weight_zero_point * wide.shape[1]
    largest = np.abs(folded) + 128 * (np.abs(wide) + abs(weight_zero_point)).sum(axis=1)
    shifts = np.array([shift for _, shift in multipliers])
    if (largest * 2.0 ** np.maximum(shifts, 0) >= 2**30).any():
        raise refuse(operator, "its sums can exceed 2^30; biases of this size are not supported")
    return {
        "weights": Array(packed.astype(np.int8)),
        "bias": Array(folded.astype(np.int32)),
        "multipliers": Array(np.array([multiplier for multiplier, _ in multipliers], np.int32)),
        "shifts": Array(shifts.astype(np.int8)),
        "rows": len(matrix) if rows is None else rows,
        "depth": matrix.shape[1],
        "zero_point": operator.outputs[0].zero_points[0],
        "low": limits[0],
        "high": limits[1],
        "plain": int(limits[1] == 127 and bool((shifts <= -1).all())),
    }
