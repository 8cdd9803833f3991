"""Reads a .tflite file into plain objects, without TensorFlow."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tflite

_TYPE_NAMES = {value: name.lower() for name, value in vars(tflite.TensorType).items() if isinstance(value, int)}
_ITEM_BYTES = {
    "float32": 4,
    "int32": 4,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "int64": 8,
    "bool": 1,
    "float16": 2,
}


class ModelFileError(ValueError):
    """The bytes are no .tflite model that can be read."""


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph.

    Attributes:
        index: its position in the subgraph.
        name: its name, often a long chain made by the converter.
        dtype: `int8`, `int32`, `float32` ...
        shape: its shape; -1 does not occur in the files made here.
        scales: quantization scales, one, one per channel, or none.
        zero_points: quantization zero points, as many as scales.
        constant_bytes: bytes of constant content, 0 for activations.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    constant_bytes: int

    @property
    def bytes(self) -> int:
        """Bytes that the tensor occupies when it is computed."""
        return int(np.prod(self.shape, dtype=np.int64)) * _ITEM_BYTES.get(self.dtype, 4)


@dataclass(frozen=True)
class Operator:
    """An operator of the graph.

    Attributes:
        index: its position in the execution order.
        name: `CONV_2D`, or the custom code of a custom operator.
        version: its version.
        inputs: tensors read; optional inputs that are absent are left out.
        outputs: tensors written.
    """

    index: int
    name: str
    version: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True)
class ModelFile:
    """A parsed .tflite file with one subgraph.

    Attributes:
        content: the file's bytes.
        operators: in execution order.
        inputs: by signature name, or by tensor name where there is no signature.
        outputs: likewise.
        graph_inputs: the inputs in the graph's own order, for runtimes that know no names.
        metadata: named buffers.
    """

    content: bytes
    operators: tuple[Operator, ...]
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    graph_inputs: tuple[Tensor, ...]
    metadata: dict[str, bytes]

    @cached_property
    def head_operator(self) -> Operator | None:
        """The operator that selects a head by the `head` input, or None."""
        head = self.inputs.get("head")
        if head is None:
            return None
        return next((operator for operator in self.operators if head in operator.inputs), None)


def read_model_file(path: Path) -> ModelFile:
    """Reads a file; errors as `parse_model`, or OSError."""
    return parse_model(path.read_bytes())


def parse_model(content: bytes) -> ModelFile:
    """Parses the bytes of a .tflite file.

    Raises:
        ModelFileError: not a .tflite file, damaged, or with more than one subgraph.
    """
    if content[4:8] != b"TFL3":
        raise ModelFileError(f"no .tflite file: its identifier is {content[4:8]!r}, expected b'TFL3'")
    try:
        return _parse(content)
    # A damaged flatbuffer fails wherever a wrong offset happens to lead.
    except (IndexError, ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"the .tflite file is damaged: {error}") from error
    except Exception as error:
        if type(error).__module__.startswith(("struct", "flatbuffers")):
            raise ModelFileError(f"the .tflite file is damaged: {error}") from error
        raise


def _parse(content: bytes) -> ModelFile:
    # The generated readers promise None for everything; a missing part raises and is caught by the caller.
    model: Any = tflite.Model.GetRootAsModel(content, 0)
    if model.SubgraphsLength() != 1:
        raise ModelFileError(f"the model has {model.SubgraphsLength()} subgraphs; expected 1")
    graph = model.Subgraphs(0)
    tensors = [_tensor(model, graph.Tensors(index), index) for index in range(graph.TensorsLength())]
    operators = []
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        name, version = _operator_code(model.OperatorCodes(operator.OpcodeIndex()))
        reads = [operator.Inputs(position) for position in range(operator.InputsLength())]
        writes = [operator.Outputs(position) for position in range(operator.OutputsLength())]
        operators.append(
            Operator(
                index=index,
                name=name,
                version=version,
                inputs=tuple(tensors[position] for position in reads if position >= 0),
                outputs=tuple(tensors[position] for position in writes),
            )
        )
    return ModelFile(
        content=content,
        operators=tuple(operators),
        inputs=_named(model, graph, tensors, "Inputs"),
        outputs=_named(model, graph, tensors, "Outputs"),
        graph_inputs=tuple(tensors[graph.Inputs(position)] for position in range(graph.InputsLength())),
        metadata=_metadata(model),
    )


def _operator_code(code) -> tuple[str, int]:
    # Codes beyond 127 live in the newer field only; older files have the older field only.
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if builtin == tflite.BuiltinOperator.CUSTOM:
        return code.CustomCode().decode(), code.Version()
    return tflite.BUILTIN_OPCODE2NAME.get(builtin, f"BUILTIN_{builtin}"), code.Version()


def _tensor(model, tensor, index: int) -> Tensor:
    scales, zero_points = _quantization(tensor.Quantization())
    buffer = model.Buffers(tensor.Buffer())
    return Tensor(
        index=index,
        name=(tensor.Name() or b"").decode(),
        dtype=_TYPE_NAMES.get(tensor.Type(), f"type_{tensor.Type()}"),
        shape=tuple(int(tensor.Shape(axis)) for axis in range(tensor.ShapeLength())),
        scales=scales,
        zero_points=zero_points,
        constant_bytes=buffer.DataLength() if buffer is not None else 0,
    )


def _quantization(table: Any) -> tuple[tuple[float, ...], tuple[int, ...]]:
    if table is None or table.ScaleLength() == 0:
        return (), ()
    return tuple(map(float, table.ScaleAsNumpy())), tuple(map(int, table.ZeroPointAsNumpy()))


def _named(model, graph, tensors: list[Tensor], kind: str) -> dict[str, Tensor]:
    if model.SignatureDefsLength() > 0:
        signature = model.SignatureDefs(0)
        maps = [getattr(signature, kind)(index) for index in range(getattr(signature, f"{kind}Length")())]
        return {entry.Name().decode(): tensors[entry.TensorIndex()] for entry in maps}
    indices = [getattr(graph, kind)(index) for index in range(getattr(graph, f"{kind}Length")())]
    return {tensors[index].name: tensors[index] for index in indices}


def _metadata(model) -> dict[str, bytes]:
    found = {}
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        data = model.Buffers(entry.Buffer())
        found[entry.Name().decode()] = data.DataAsNumpy().tobytes() if data.DataLength() else b""
    return found
