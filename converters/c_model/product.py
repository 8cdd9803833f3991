"""Weights, folded biases and multipliers: what CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share."""

from collections.abc import Callable

import numpy as np

from tinycerb.converters.c_model.errors import refuse
from tinycerb.converters.c_model.fixed_point import activation_range, quantize_multiplier
from tinycerb.converters.c_model.layer import Array, Value
from tinycerb.converters.c_model.row_sums import Rows, computable_rows
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
    return weights, bias.reshape(-1)


def row_multipliers(operator: Operator, rows: int, rounded_product: bool = False) -> tuple[tuple[int, int], ...]:
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
        return (quantize_multiplier(product / output_scale),) * rows
    each = scales * rows if len(scales) == 1 else scales
    return tuple(quantize_multiplier(source_scale * scale / output_scale) for scale in each)


def output_range(operator: Operator, activation: int) -> tuple[int, int]:
    """Returns the int8 range that a fused activation leaves.

    Raises:
        UnsupportedModelError: another activation than none, ReLU and ReLU6.
    """
    limits = activation_range(activation, operator.outputs[0].scales[0], operator.outputs[0].zero_points[0])
    if limits is None:
        raise refuse(operator, f"fused activation {activation} is not supported; use none, ReLU or ReLU6")
    return limits


def product_parameters(
    operator: Operator,
    rows: Rows,
    pack: Callable[[np.ndarray], np.ndarray],
    activation: int,
    rows_per_call: int | None = None,
) -> dict[str, Value]:
    """Returns the members of `tc_product`.

    Args:
        operator: the operator.
        rows: all its rows.
        pack: int8 weights [all rows, depth] to the target's order.
        activation: the fused activation.
        rows_per_call: rows that are computed per call; all by default.

    Raises:
        UnsupportedModelError: another activation, or sums that leave the range of the fixed-point arithmetic.
    """
    low, high = output_range(operator, activation)
    rows = computable_rows(operator, rows, low, high)
    shifts = np.array([shift for _, shift in rows.multipliers])
    return {
        "weights": Array(pack(rows.matrix).astype(np.int8)),
        "bias": Array(rows.folded(operator.inputs[0].zero_points[0]).astype(np.int32)),
        "multipliers": Array(np.array([multiplier for multiplier, _ in rows.multipliers], np.int32)),
        "shifts": Array(shifts.astype(np.int8)),
        "rows": len(rows.matrix) if rows_per_call is None else rows_per_call,
        "depth": rows.matrix.shape[1],
        "zero_point": operator.outputs[0].zero_points[0],
        "low": low,
        "high": high,
        "plain": int(high == 127 and bool((shifts <= -1).all())),
    }
