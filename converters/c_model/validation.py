"""What a file is held against before anything of it is lowered."""

from math import prod

import tflite

from tinycerb.converters.c_model.errors import UnsupportedModelError, refuse, refuse_tensor
from tinycerb.converters.c_model.lowering import OPERATORS
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.model_file import ITEM_BITS, Operator, Tensor, builtin_code

# More than microcontrollers have memory: for a constant as it stands in the file, or what is computed at once.
_MOST_TENSOR_BYTES = 32 * 2**20
_RANGES = {
    "int8": (-(2**7), 2**7 - 1),
    "uint8": (0, 2**8 - 1),
    "int16": (-(2**15), 2**15 - 1),
}
_ANY_ZERO_POINT = (-(2**31), 2**31 - 1)
_SCHEMA_VERSION = 3
_CUSTOM = "TinyCerbHeadSelect"
_OF_OPEN_BATCHES = ("SHAPE", "PACK")
_OPEN_BATCH = (
    ". The batch was left open: tinycerb convert folds its shape to a constant, or build the network with batch_size=1"
)


def validate(source: Source) -> None:
    """Checks a whole file, before anything of it is lowered.

    A file that passes, and whose sums `product_parameters` finds within 32 bits, is lowered without a further question.
    The C that comes of it touches nothing outside of its arrays and has no undefined arithmetic, whatever the image and
    the head, and its outputs are the bytes of tflite-runtime 2.14 with reference kernels, but for a SOFTMAX
    over 512 classes and more (`large_softmax`). Checked are:

    - graph: one subgraph; operators that are known, in a version that is known; every tensor is computed once, before
      it is read, and never over an input or a constant; inputs and outputs agree with the signature's;
    - tensors: types, scales, zero points and the axis of several scales; constants have the bytes that their shape
      promises; nothing is empty, sparse, variable or larger than 32 MiB;
    - operators, by the check that is registered with each lowering: number and types of inputs, options, indices,
      windows, bounds of the arithmetic; the output has the shape that inputs and options give.

    Raises:
        UnsupportedModelError: names operator, tensor, the value found and what is allowed.
    """
    _check_operators_are_known(source)
    _check_ends(source)
    used = set()
    for operator in source.file.operators:
        for tensor in (*operator.inputs, *operator.outputs):
            if tensor.index not in used:
                _check_tensor(source, operator, tensor)
                _check_used_tensor(source, operator, tensor)
            used.add(tensor.index)
    for tensor in source.file.tensors:
        if tensor.index not in used:
            _check_tensor(source, None, tensor)
    _check_order(source)
    for operator in source.file.operators:
        _check_operator(source, operator)
    _check_heads(source)


def _check_operators_are_known(source: Source) -> None:
    file, model = source.file, source.model
    if model.Version() != _SCHEMA_VERSION:
        raise UnsupportedModelError(f"the file is of schema version {model.Version()}; expected {_SCHEMA_VERSION}")
    if file.branches:
        raise UnsupportedModelError(f"the file has {1 + len(file.branches)} subgraphs; expected 1")
    if not file.operators:
        raise UnsupportedModelError("the file has no operators; expected 1 or more")
    for operator in file.operators:
        code = model.OperatorCodes(source.graph.Operators(operator.index).OpcodeIndex())
        custom = builtin_code(code) == tflite.BuiltinOperator.CUSTOM
        if operator.name not in OPERATORS or custom != (operator.name == _CUSTOM):
            known, way_out = ", ".join(sorted(OPERATORS)), _OPEN_BATCH if operator.name in _OF_OPEN_BATCHES else ""
            raise refuse(operator, f"not supported by the C runtime; supported: {known}{way_out}")
        newest = OPERATORS[operator.name].newest
        if not 1 <= operator.version <= newest:
            raise refuse(operator, f"version {operator.version}; the C runtime knows versions 1 to {newest}")
        if len(operator.outputs) != 1:
            raise refuse(operator, f"it writes {len(operator.outputs)} tensors; expected 1")


def _check_ends(source: Source) -> None:
    file = source.file
    for what, named, listed in (
        ("inputs", file.inputs, file.graph_inputs),
        ("outputs", file.outputs, file.graph_outputs),
    ):
        names, indices = sorted(tensor.index for tensor in named.values()), sorted(tensor.index for tensor in listed)
        if names != indices or len(set(indices)) < len(indices):
            raise UnsupportedModelError(f"the signature's {what} are tensors {names}, the graph's {indices}")
    for tensor in file.graph_inputs:
        if tensor.constant_bytes:
            raise refuse_tensor(None, tensor, "is an input of the model and a constant")
    for tensor in (*file.graph_inputs, *file.graph_outputs):
        if not tensor.shape:
            raise refuse_tensor(None, tensor, "is an end of the model and has no axes; expected 1 or more")


def _check_tensor(source: Source, operator: Operator | None, tensor: Tensor) -> None:
    """What TFLite asks of every tensor of a file."""
    if tensor.dtype not in ITEM_BITS:
        raise refuse_tensor(operator, tensor, f"is of type {tensor.dtype}; known: {', '.join(ITEM_BITS)}")
    if len(tensor.zero_points) != len(tensor.scales):
        raise refuse_tensor(
            operator, tensor, f"has scales: {len(tensor.scales)}, zero points: {len(tensor.zero_points)}"
        )
    rank, axis = len(tensor.shape), tensor.quantized_dimension
    # Files are about that name an axis that a vector does not have; it says nothing there.
    if tensor.scales and rank > 1 and not 0 <= axis < rank:
        raise refuse_tensor(operator, tensor, f"has its scales along axis {axis} of {rank}")
    if len(tensor.scales) > 1 and rank and tensor.shape[axis if rank > 1 else 0] != len(tensor.scales):
        raise refuse_tensor(
            operator, tensor, f"has {len(tensor.scales)} scales for the shape {list(tensor.shape)}, axis {axis}"
        )
    low, high = _RANGES.get(tensor.dtype, _ANY_ZERO_POINT)
    for zero_point in tensor.zero_points:
        if not low <= zero_point <= high:
            raise refuse_tensor(operator, tensor, f"has the zero point {zero_point}; expected {low} to {high}")
    if tensor.constant_bytes:
        _check_constant(source, operator, tensor)


def _check_constant(source: Source, operator: Operator | None, tensor: Tensor) -> None:
    index = source.graph.Tensors(tensor.index).Buffer()
    if index == 0:
        raise refuse_tensor(operator, tensor, "has its values in buffer 0, which is empty by definition")
    if source.model.Buffers(index).DataLength() != tensor.bytes:
        raise refuse_tensor(
            operator,
            tensor,
            f"has {source.model.Buffers(index).DataLength():,} bytes; {tensor.dtype}{list(tensor.shape)} takes "
            f"{tensor.bytes:,}",
        )


def _check_used_tensor(source: Source, operator: Operator, tensor: Tensor) -> None:
    if prod(tensor.shape) < 1:
        raise refuse_tensor(operator, tensor, f"has the shape {list(tensor.shape)}; expected at least one element")
    if tensor.bytes > _MOST_TENSOR_BYTES:
        raise refuse_tensor(operator, tensor, f"takes {tensor.bytes:,} bytes; at most {_MOST_TENSOR_BYTES:,}")
    if tensor.dtype == "int8":
        for scale in tensor.scales:
            if not scale > 0:
                raise refuse_tensor(operator, tensor, f"has the scale {scale:g}; expected a positive one")
    record = source.graph.Tensors(tensor.index)
    if record.IsVariable() or record.Sparsity() is not None:
        raise refuse_tensor(operator, tensor, "is sparse or keeps its value from one run to the next: not supported")


def _check_order(source: Source) -> None:
    computed = {tensor.index for tensor in source.file.graph_inputs}
    for operator in source.file.operators:
        for tensor in operator.inputs:
            if not tensor.constant_bytes and tensor.index not in computed:
                raise refuse_tensor(operator, tensor, "is read before any layer has computed it")
        result = operator.outputs[0]
        if result.constant_bytes or result.index in computed:
            raise refuse_tensor(operator, result, "is computed a second time, or over an input or a constant")
        computed.add(result.index)
    for tensor in source.file.graph_outputs:
        if tensor.index not in computed or tensor in source.file.graph_inputs:
            raise refuse_tensor(None, tensor, "is an output of the model that no layer computes")


def _check_operator(source: Source, operator: Operator) -> None:
    shape, result = OPERATORS[operator.name].check(source, operator), operator.outputs[0]
    if result.shape != tuple(shape):
        raise refuse_tensor(
            operator, result, f"has the shape {list(result.shape)}; inputs and options give {list(map(int, shape))}"
        )


def _check_heads(source: Source) -> None:
    heads = [tensor for tensor in source.file.graph_inputs if tensor.dtype == "int32"]
    rows = {op.inputs[0].shape[0] for op in source.file.operators if any(head in op.inputs for head in heads)}
    if len(rows) > 1:
        raise UnsupportedModelError(f"the model's int32[1] input chooses from {sorted(rows)} rows; expected one number")
