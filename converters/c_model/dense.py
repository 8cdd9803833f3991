"""FULLY_CONNECTED, and the choice of one head's rows out of it."""

import numpy as np
import tflite

from converters.c_model.errors import refuse
from converters.c_model.layer import Array, Layer
from converters.c_model.lowering import Lowering, check_int8, lowers
from converters.c_model.product import product_parameters, read_weights, row_multipliers
from converters.model_file import Operator


@lowers("FULLY_CONNECTED")
def lower_fully_connected(to: Lowering, operator: Operator) -> None:
    """Weights [rows, depth]; where a head selection follows, only the selected rows are computed."""
    check_int8(operator)
    selection = selection_behind(to, operator)
    options = to.source.options(operator, tflite.FullyConnectedOptions)
    if options.WeightsFormat() != 0:
        raise refuse(operator, "shuffled weights are not supported")
    weights, bias = read_weights(to.source, operator)
    rows, depth = weights.shape
    zero_points = set(operator.inputs[1].zero_points)
    single = len(operator.inputs[1].scales) == 1
    if not single and zero_points != {0}:
        raise refuse(operator, "per-channel weights with a zero point are not supported")
    weight_zero_point = next(iter(zero_points))
    heads = selection.inputs[0].shape[0] if selection is not None else 1
    per_head = rows // heads
    packed = [to.target.pack(weights[head * per_head : (head + 1) * per_head]) for head in range(heads)]
    product = product_parameters(
        operator,
        np.concatenate(packed),
        weights,
        bias,
        row_multipliers(operator, rows, rounded_product=single),
        options.FusedActivationFunction(),
        per_head,
        weight_zero_point,
    )
    batch = int(np.prod(operator.inputs[0].shape)) // depth
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_fully_connected",
            parameters={
                "product": product,
                "batch": batch,
                "weight_zero_point": weight_zero_point,
                "head_weights": len(packed[0]) if selection is not None else 0,
            },
            inputs=(operator.inputs[0].index,),
            output=(selection or operator).outputs[0].index,
            scratch_bytes=to.target.column_bytes(1, depth),
        )
    )
    if selection is not None:
        to.heads = heads


def selection_behind(to: Lowering, dense: Operator) -> Operator | None:
    """The head selection that alone reads a dense layer, perhaps through a RESHAPE to [heads, classes]; or None."""
    reader = dense
    for _ in range(2):
        following = to.consumers(reader.outputs[0].index)
        if len(following) != 1 or reader.outputs[0] in to.source.file.outputs.values():
            return None
        reader = following[0]
        if _selects_head(to, reader):
            rows, *row = reader.inputs[0].shape
            fits = len(row) == 1 and rows * row[0] == int(np.prod(dense.outputs[0].shape))
            return reader if fits and dense.outputs[0].shape[0] == 1 else None
        if reader.name != "RESHAPE":
            return None
    return None


def _selects_head(to: Lowering, operator: Operator) -> bool:
    heads = [tensor for tensor in to.source.file.graph_inputs if tensor.dtype == "int32"]
    return operator.name in ("GATHER", "TinyCerbHeadSelect") and any(tensor in heads for tensor in operator.inputs)


@lowers("GATHER", "TinyCerbHeadSelect")
def lower_head_selection(to: Lowering, operator: Operator) -> None:
    """The selected row; nothing where the dense layer before has computed that row alone."""
    check_int8(operator)
    if not _selects_head(to, operator):
        raise refuse(operator, "GATHER is supported only where the model's int32[1] input chooses a head")
    if operator.name == "GATHER":
        options = to.source.options(operator, tflite.GatherOptions)
        if options.Axis() != 0 or options.BatchDims() != 0:
            raise refuse(operator, f"axis {options.Axis()}; a head selection takes axis 0")
    if any(layer.output == operator.outputs[0].index for layer in to.layers):
        return
    to.heads = operator.inputs[0].shape[0]
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_head_select",
            parameters={"row_bytes": operator.outputs[0].bytes},
            inputs=(operator.inputs[0].index,),
            output=operator.outputs[0].index,
        )
    )


def constant_inputs(to: Lowering, operator: Operator, count: int) -> dict[int, Array]:
    """Returns the constants among an operator's first `count` inputs, by tensor index."""
    found = {tensor.index: to.source.constant(tensor) for tensor in operator.inputs[:count]}
    return {index: Array(values) for index, values in found.items() if values is not None}
