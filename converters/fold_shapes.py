"""Shapes that a file works out while it runs, because its batch was left open, become the constants that they are."""

from collections.abc import Callable, Mapping

import numpy as np

from tinycerb.converters.flatbuffer_writer import pack_model, unpack_model
from tinycerb.converters.layer_names import layer_name
from tinycerb.converters.model_file import Operator, parse_model
from tinycerb.converters.schema import MutableGraph, MutableModel, MutableOperator, Options

HOW_TO_FIX = "build the network with a fixed batch, keras.layers.Input(shape, batch_size=1), and convert it again"
_TYPES = {"int32": np.int32, "int64": np.int64}


class OpenShapeError(ValueError):
    """A shape that only running the model would tell."""


def fold_shapes(content: bytes) -> bytes:
    """Returns the file without the operators that compute shapes, for a batch of one.

    `Flatten` and `Reshape` of a network whose batch is open become SHAPE, STRIDED_SLICE, PACK and RESHAPE. What comes
    out of the first three is known, since a batch is one image here. All bytes that the model answers stay the same.

    Raises:
        OpenShapeError: an axis beside the batch is open, or the shape depends on something else.
    """
    file = parse_model(content)
    if all(operator.name != "SHAPE" for operator in file.operators):
        return content
    _, model = unpack_model(content)
    graph = model.subgraphs[0]
    known: dict[int, np.ndarray] = {}
    for tensor in file.tensors:
        if tensor.constant_bytes and tensor.dtype in _TYPES:
            raw = np.asarray(model.buffers[graph.tensors[tensor.index].buffer].data, np.uint8)
            known[tensor.index] = raw.view(_TYPES[tensor.dtype]).reshape(tensor.shape)
    kept, folded = [], set()
    for record, operator in zip(graph.operators, file.operators, strict=True):
        value = _fold(graph, record, operator, known)
        if value is None:
            kept.append(record)
        else:
            known[operator.outputs[0].index] = value
            folded.add(operator.outputs[0].index)
    graph.operators = kept
    _write_constants(model, graph, {index: known[index] for index in folded})
    _forget_the_unused(model, graph)
    return pack_model(model)


def _shape(
    graph: MutableGraph, record: MutableOperator, inputs: list[np.ndarray | None], operator: Operator
) -> np.ndarray:
    tensor = graph.tensors[record.inputs[0]]
    signature = tensor.shapeSignature
    if tensor.shape[0] != 1 or (signature is not None and any(size < 0 for size in signature[1:])):
        found = list(map(int, tensor.shape if signature is None else signature))
        raise OpenShapeError(f"layer {layer_name(operator)!r} asks for a shape of {found} while it runs; {HOW_TO_FIX}")
    return np.asarray(tensor.shape)


def _strided_slice(
    graph: MutableGraph, record: MutableOperator, inputs: list[np.ndarray | None], operator: Operator
) -> np.ndarray | None:
    values, begin, end, step = inputs
    options = _options(record)
    if values is None or begin is None or end is None or step is None or values.ndim != 1 or begin.shape != (1,):
        return None
    if options.ellipsisMask or options.newAxisMask or getattr(options, "offset", False):
        return None
    if options.shrinkAxisMask:
        return values[int(begin[0])]
    first = None if options.beginMask else int(begin[0])
    return values[first : None if options.endMask else int(end[0]) : int(step[0])]


def _pack(
    graph: MutableGraph, record: MutableOperator, inputs: list[np.ndarray | None], operator: Operator
) -> np.ndarray | None:
    found = [value for value in inputs if value is not None]
    return np.stack(found, axis=_options(record).axis) if len(found) == len(inputs) else None


def _options(record: MutableOperator) -> Options:
    if record.builtinOptions is None:
        raise ValueError("it has no options")
    return record.builtinOptions


_FOLDS: Mapping[str, Callable[..., np.ndarray | None]] = {
    "SHAPE": _shape,
    "STRIDED_SLICE": _strided_slice,
    "PACK": _pack,
}


def _fold(
    graph: MutableGraph, record: MutableOperator, operator: Operator, known: Mapping[int, np.ndarray]
) -> np.ndarray | None:
    """The operator's result where it is known, in its type and shape."""
    result = operator.outputs[0] if operator.outputs else None
    if operator.name not in _FOLDS or result is None or result.dtype not in _TYPES:
        return None
    inputs = [known.get(tensor.index) for tensor in operator.inputs]
    try:
        value = _FOLDS[operator.name](graph, record, inputs, operator)
        return None if value is None else np.asarray(value, _TYPES[result.dtype]).reshape(result.shape)
    except OpenShapeError:
        raise
    except (ValueError, IndexError, AttributeError) as error:
        raise OpenShapeError(f"layer {layer_name(operator)!r} ({operator.name}) contradicts itself: {error}") from error


def _write_constants(model: MutableModel, graph: MutableGraph, values: Mapping[int, np.ndarray]) -> None:
    for record in graph.operators:
        for index in record.inputs:
            if index in values:
                buffer = type(model.buffers[0])()
                buffer.data = np.frombuffer(values[index].tobytes(), np.uint8)
                model.buffers.append(buffer)
                graph.tensors[index].buffer = len(model.buffers) - 1
    # The batch is one from here on.
    for tensor in graph.tensors:
        tensor.shapeSignature = None


def _forget_the_unused(model: MutableModel, graph: MutableGraph) -> None:
    read = {int(index) for record in graph.operators for index in (*record.inputs, *record.outputs)}
    for index, tensor in enumerate(graph.tensors):
        if index not in read:
            tensor.buffer = 0
    used = {tensor.buffer for tensor in graph.tensors} | {entry.buffer for entry in model.metadata or []}
    for index, buffer in enumerate(model.buffers):
        if index not in used:
            buffer.data = None
    codes = sorted({record.opcodeIndex for record in graph.operators})
    model.operatorCodes = [model.operatorCodes[code] for code in codes]
    for record in graph.operators:
        record.opcodeIndex = codes.index(record.opcodeIndex)
