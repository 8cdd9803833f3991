"""Layers that the user's own CMSIS-NN tree computes (`firmware_stub/kernels/cmsis_nn`): weights and biases as in the
file, working memory as its versions from 4.0.0 on want it."""

from collections.abc import Callable
from typing import cast

import numpy as np
import tflite

from tinycerb.converters.c_model.convolutions import in_taps, kernel_and_window
from tinycerb.converters.c_model.dense import selection_behind
from tinycerb.converters.c_model.layer import Array, Layer, Value
from tinycerb.converters.c_model.lowering import Lower, Lowering
from tinycerb.converters.c_model.pools import lower_pool
from tinycerb.converters.c_model.product import output_range, read_weights, row_multipliers
from tinycerb.converters.c_model.row_sums import Rows, computable_rows
from tinycerb.converters.model_file import Operator

# Its depthwise kernel for MVE works on so many channels at a time.
_MVE_CHANNELS = 124


def _product(
    operator: Operator, rows: Rows, activation: int, stored: Callable[[np.ndarray], np.ndarray]
) -> dict[str, Value]:
    """The members of `tc_cmsis_nn_product`; `stored` orders [rows, depth] as in the file."""
    low, high = output_range(operator, activation)
    # What neither library computes exactly is refused, what does not depend on its sums computed.
    rows = computable_rows(operator, rows, low, high)
    multipliers = np.array(rows.multipliers, np.int32)
    return {
        "weights": Array(stored(rows.matrix)),
        "bias": Array(rows.bias),
        "multipliers": Array(multipliers[:, 0]),
        "shifts": Array(multipliers[:, 1]),
        "rows": len(rows.matrix),
        "input_zero_point": operator.inputs[0].zero_points[0],
        "output_zero_point": operator.outputs[0].zero_points[0],
        "low": low,
        "high": high,
    }


def _columns(depth: int) -> int:
    """Four columns of int8 in whole vector registers, or two of int16."""
    return 4 * (depth + -depth % 16)


def _convolution(to: Lowering, operator: Operator) -> None:
    options, weights, bias, window = kernel_and_window(to, operator)
    depthwise = operator.name == "DEPTHWISE_CONV_2D"
    matrix = weights.reshape(-1, weights.shape[-1]).T if depthwise else weights.reshape(len(weights), -1)
    taps, channels = int(np.prod(weights.shape[1:3])), operator.inputs[0].shape[-1]
    if depthwise:
        scratch = {"dsp": 2 * channels * taps, "mve": 4 * _MVE_CHANNELS * taps}.get(to.target.kernels, 0)
        if channels == 1 and to.target.kernels == "mve":
            # As a convolution, behind its weights in another order.
            scratch = max(scratch, _columns(taps) + weights.size)
    else:
        scratch = _columns(matrix.shape[1])
    to.layers.append(
        Layer(
            operator=operator,
            kernel=f"tc_cmsis_nn_{operator.name.lower()}",
            parameters={
                "product": _product(
                    operator,
                    Rows(matrix, bias, row_multipliers(operator, len(matrix))),
                    options.FusedActivationFunction(),
                    in_taps if depthwise else np.ravel,
                ),
                "window": window,
                "multiplier": len(matrix) // channels if depthwise else 1,
                "scratch_bytes": scratch,
            },
            inputs=(operator.inputs[0].index,),
            output=operator.outputs[0].index,
            scratch_bytes=scratch,
            parameters_type="tc_cmsis_nn_conv_2d_parameters",
        )
    )


def _fully_connected(to: Lowering, operator: Operator) -> None:
    selection = selection_behind(to, operator)
    options = to.source.options(operator, tflite.FullyConnectedOptions)
    weights, bias = read_weights(to.source, operator)
    heads = selection.inputs[0].shape[0] if selection is not None else 1
    weight_zero_point = operator.inputs[1].zero_points[0]
    single = len(operator.inputs[1].scales) == 1
    rows = Rows(weights, bias, row_multipliers(operator, len(weights), rounded_product=single), weight_zero_point)
    product = _product(operator, rows, options.FusedActivationFunction(), np.ravel)
    sums = to.target.kernels == "mve" and single and not _differ(product)
    stored = cast(Array, product["weights"]).values.reshape(weights.shape)
    offset_sums = -operator.inputs[0].zero_points[0] * stored.sum(axis=1, dtype=np.int64)
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_cmsis_nn_fully_connected",
            parameters={
                "product": {**product, "rows": len(weights) // heads},
                "batch": int(np.prod(operator.inputs[0].shape)) // weights.shape[1],
                "depth": weights.shape[1],
                "per_channel": int(not single or _differ(product)),
                "weight_zero_point": weight_zero_point,
                "by_head": int(selection is not None),
                "offset_sums": Array(offset_sums.astype(np.int32)) if sums else 0,
            },
            inputs=(operator.inputs[0].index,),
            output=(selection or operator).outputs[0].index,
            scratch_bytes=4 * len(weights) // heads * (int(weight_zero_point != 0) + int(sums)),
        )
    )
    if selection is not None:
        to.heads = heads


def _differ(product: dict[str, Value]) -> bool:
    """Whether a row has a multiplier of its own: its output is a constant."""
    columns = [cast(Array, product[name]).values for name in ("multipliers", "shifts")]
    return any((values != values[0]).any() for values in columns)


def _pool(to: Lowering, operator: Operator) -> None:
    lower_pool(to, operator)
    own = to.layers.pop()
    averages = operator.name == "AVERAGE_POOL_2D" and to.target.kernels == "dsp"
    scratch = 4 * operator.inputs[0].shape[-1] if averages else 0
    to.layers.append(
        Layer(
            operator=operator,
            kernel=own.kernel.replace("tc_", "tc_cmsis_nn_"),
            parameters={**own.parameters, "scratch_bytes": scratch},
            inputs=own.inputs,
            output=own.output,
            scratch_bytes=scratch,
            parameters_type="tc_cmsis_nn_pool_parameters",
        )
    )


CMSIS_NN_OPERATORS: dict[str, Lower] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "FULLY_CONNECTED": _fully_connected,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
}
