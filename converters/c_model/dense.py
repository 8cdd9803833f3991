"""FULLY_CONNECTED, and the choice of one head's rows out of it."""

import numpy as np
import tflite

from tinycerb.converters.c_model.errors import refuse, refuse_tensor
from tinycerb.converters.c_model.layer import Array, Layer
from tinycerb.converters.c_model.lowering import Lowering, lowers
from tinycerb.converters.c_model.product import product_parameters, read_weights, row_multipliers
from tinycerb.converters.c_model.requirements import Shape, require_activation, require_fused, require_inputs
from tinycerb.converters.c_model.row_sums import Rows
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.c_model.weights import require_bias, require_multipliers, require_weights
from tinycerb.converters.model_file import Operator, Tensor

_SELECTIONS = ("GATHER", "TinyCerbHeadSelect")


def check_fully_connected(source: Source, operator: Operator) -> Shape:
    """Weights [rows, depth]; the input's elements are rows of `depth`."""
    require_inputs(operator, 2, 3, optional=(2,))
    tensor = require_activation(source, operator)
    options = source.options(operator, tflite.FullyConnectedOptions)
    if options.WeightsFormat() != 0:
        raise refuse(operator, "shuffled weights are not supported")
    rows, depth = require_weights(source, operator, 2, 0, symmetric=False).shape
    elements = int(np.prod(tensor.shape, dtype=np.int64))
    if elements % depth or (options.KeepNumDims() and tensor.shape[-1:] != (depth,)):
        raise refuse_tensor(operator, tensor, f"has the shape {list(tensor.shape)}; expected rows of {depth} elements")
    require_bias(source, operator, rows)
    require_fused(operator, options.FusedActivationFunction())
    single = len(operator.inputs[1].scales) == 1
    require_multipliers(operator, rows, rounded_product=single)
    if single:
        _require_bias_scale(operator)
    elif options.KeepNumDims() and len(tensor.shape) != 2:
        # TFLite's kernel takes the first two axes of the output for rows and channels, whatever follows.
        raise refuse_tensor(
            operator,
            tensor,
            f"has the shape {list(tensor.shape)}; weights with several scales and keep_num_dims take 2 axes",
        )
    return (*tensor.shape[:-1], rows) if options.KeepNumDims() else (elements // depth, rows)


def _require_bias_scale(operator: Operator) -> None:
    """TFLite wants the bias' scale to be the product of the others, within a fiftieth of the output's."""
    if len(operator.inputs) < 3:
        return
    bias = operator.inputs[2]
    product = float(np.float32(operator.inputs[0].scales[0]) * np.float32(operator.inputs[1].scales[0]))
    own = bias.scales[0] if len(bias.scales) == 1 else 0.0
    if not abs(product - own) / operator.outputs[0].scales[0] <= 0.02:
        raise refuse_tensor(
            operator, bias, f"has the scale {own:g}; expected {product:g}, the product of the input's and the weights'"
        )


@lowers("FULLY_CONNECTED", check=check_fully_connected, newest=9)
def lower_fully_connected(to: Lowering, operator: Operator) -> None:
    """Where a head selection follows, only the selected rows are computed."""
    selection = selection_behind(to, operator)
    options = to.source.options(operator, tflite.FullyConnectedOptions)
    weights, bias = read_weights(to.source, operator)
    rows, depth = weights.shape
    single = len(operator.inputs[1].scales) == 1
    weight_zero_point = operator.inputs[1].zero_points[0]
    heads = selection.inputs[0].shape[0] if selection is not None else 1
    per_head = rows // heads
    every = Rows(weights, bias, row_multipliers(operator, rows, rounded_product=single), weight_zero_point)

    def pack(matrix: np.ndarray) -> np.ndarray:
        return np.concatenate([to.target.pack(part) for part in np.split(matrix, heads)])

    product = product_parameters(operator, every, pack, options.FusedActivationFunction(), per_head)
    batch = int(np.prod(operator.inputs[0].shape)) // depth
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_fully_connected",
            parameters={
                "product": product,
                "batch": batch,
                "weight_zero_point": weight_zero_point,
                "head_weights": len(to.target.pack(weights[:per_head])) if selection is not None else 0,
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
            # One batch: each row of the table is so many rows of the weights.
            table, rows = reader.inputs[0].shape, dense.inputs[1].shape[0]
            fits = len(table) == 2 and int(np.prod(table)) == int(np.prod(dense.outputs[0].shape)) == rows
            return reader if fits else None
        if reader.name != "RESHAPE":
            return None
    return None


def _selects_head(to: Lowering, operator: Operator) -> bool:
    return operator.name in _SELECTIONS and operator.inputs[1] in head_inputs(to.source)


def head_inputs(source: Source) -> list[Tensor]:
    """Returns the model's inputs that choose a head: one `int32[1]`, or none."""
    return [tensor for tensor in source.file.graph_inputs if tensor.dtype == "int32"]


def check_head_selection(source: Source, operator: Operator) -> Shape:
    """One row of a table, by the model's `int32[1]` input."""
    require_inputs(operator, 2)
    table = require_activation(source, operator)
    if operator.inputs[1] not in head_inputs(source):
        raise refuse(operator, f"{operator.name} is supported only where the model's int32[1] input chooses a head")
    if operator.name == "GATHER":
        options = source.options(operator, tflite.GatherOptions)
        if options.Axis() != 0 or options.BatchDims() != 0:
            raise refuse(operator, f"axis {options.Axis()}; a head selection takes axis 0")
    if not table.shape:
        raise refuse_tensor(operator, table, "has no axes; expected a row per head")
    return (1, *table.shape[1:])


@lowers("TinyCerbHeadSelect", check=check_head_selection)
@lowers("GATHER", check=check_head_selection, newest=6)
def lower_head_selection(to: Lowering, operator: Operator) -> None:
    """The selected row; nothing where the dense layer before has computed that row alone."""
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
