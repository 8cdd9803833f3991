"""Reads a .tflite file into plain objects, without TensorFlow."""

import stat
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, prod
from pathlib import Path
from typing import Any

import tflite
from flatbuffers import number_types

from tinycerb.converters.verifier import MOST_BYTES, ModelFileError, verify

__all__ = ["ModelFile", "ModelFileError", "Operator", "Tensor", "parse_model", "read_model_file"]

# A type number in the file that the schema does not know yet keeps its number as its name.
_TYPE_NAMES = {value: name.lower() for name, value in vars(tflite.TensorType).items() if isinstance(value, int)}
ITEM_BITS = {
    "float32": 32,
    "int32": 32,
    "uint32": 32,
    "uint8": 8,
    "int8": 8,
    "int16": 16,
    "uint16": 16,
    "int64": 64,
    "uint64": 64,
    "bool": 8,
    "float16": 16,
    "bfloat16": 16,
    "float64": 64,
    "complex64": 64,
    "complex128": 128,
    "int4": 4,
}
# Where the field list of an operator code says where the newer field is.
_NEWER_CODE = 10
_MOST_DIMENSIONS = 16
# Larger sums are no model: counts beyond this would not fit the integers of any runtime.
_MOST_ITEMS = 2**40
_MOST_METADATA_BYTES = 16 * 2**20


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
        quantized_dimension: the axis along which scales differ where there are several.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    constant_bytes: int
    quantized_dimension: int = 0

    @property
    def bytes(self) -> int:
        """Bytes that the tensor occupies when it is computed."""
        return (prod(self.shape) * ITEM_BITS.get(self.dtype, 32) + 7) // 8


@dataclass(frozen=True)
class Operator:
    """An operator of the graph.

    Attributes:
        index: its position in the execution order.
        name: `CONV_2D`, or the custom code of a custom operator.
        version: its version.
        inputs: tensors read; optional inputs that are absent are left out.
        outputs: tensors written.
        custom_options: bytes of a custom operator's options.
        absent: positions in the file's list of inputs at which an optional input is absent.
    """

    index: int
    name: str
    version: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    custom_options: bytes = b""
    absent: tuple[int, ...] = ()


@dataclass(frozen=True)
class ModelFile:
    """A parsed .tflite file.

    Attributes:
        content: the file's bytes.
        operators: those of the main subgraph, in execution order.
        inputs: by signature name, or by tensor name where there is no signature.
        outputs: likewise.
        graph_inputs: the inputs in the graph's own order, for runtimes that know no names.
        metadata: named buffers.
        graph_outputs: the outputs in the graph's own order.
        branches: operators of further subgraphs, which IF and WHILE run; empty for files made here.
        description: what the file says about its origin.
        tensors: all of the main subgraph, whether an operator uses them or not.
    """

    content: bytes
    operators: tuple[Operator, ...]
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    graph_inputs: tuple[Tensor, ...]
    metadata: dict[str, bytes]
    graph_outputs: tuple[Tensor, ...] = ()
    branches: tuple[tuple[Operator, ...], ...] = ()
    description: str = ""
    tensors: tuple[Tensor, ...] = ()

    @cached_property
    def head_operator(self) -> Operator | None:
        """The operator that selects a head by the `head` input, or None."""
        head = self.inputs.get("head")
        if head is None:
            return None
        return next((operator for operator in self.operators if head in operator.inputs), None)

    @property
    def gives_posteriors(self) -> bool:
        """Whether what comes out is a SOFTMAX's, no logits."""
        outputs = {tensor.index for tensor in self.outputs.values()}
        return any(
            operator.name == "SOFTMAX" and any(tensor.index in outputs for tensor in operator.outputs)
            for operator in self.operators
        )


def read_model_file(path: Path) -> ModelFile:
    """Reads a file; errors as `parse_model`, or OSError."""
    status = path.stat()
    # A pipe or /dev/zero has no end.
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise ModelFileError("it is no regular file")
    if status.st_size > MOST_BYTES:
        raise ModelFileError(f"the file has {status.st_size:,} bytes; allowed: up to {MOST_BYTES:,}")
    return parse_model(path.read_bytes())


def parse_model(content: bytes) -> ModelFile:
    """Verifies and parses the bytes of a .tflite file.

    Raises:
        ModelFileError: not a .tflite file, truncated or damaged.
    """
    verify(content)
    # The generated readers promise None for everything; the verifier has checked what they will follow.
    model = tflite.Model.GetRootAsModel(content, 0)
    if model.SubgraphsLength() == 0:
        raise ModelFileError("the model has no subgraph; expected 1 or more")
    graphs = [_graph(model, model.Subgraphs(index)) for index in range(model.SubgraphsLength())]
    main, tensors, operators = model.Subgraphs(0), *graphs[0]
    return ModelFile(
        content=content,
        operators=operators,
        inputs=_named(model, main, tensors, "Inputs"),
        outputs=_named(model, main, tensors, "Outputs"),
        graph_inputs=_ends(main, tensors, "Inputs"),
        metadata=_metadata(model),
        graph_outputs=_ends(main, tensors, "Outputs"),
        branches=tuple(operators for _, operators in graphs[1:]),
        description=_text(model.Description()),
        tensors=tuple(tensors),
    )


def _graph(model, graph) -> tuple[list[Tensor], tuple[Operator, ...]]:
    tensors = [_tensor(model, graph.Tensors(index), index) for index in range(graph.TensorsLength())]
    return tensors, tuple(
        _operator(model, graph.Operators(index), index, tensors) for index in range(graph.OperatorsLength())
    )


def _operator(model, operator, index: int, tensors: list[Tensor]) -> Operator:
    code = operator.OpcodeIndex()
    if code >= model.OperatorCodesLength():
        raise ModelFileError(f"operator {index} has the code {code}; the file has {model.OperatorCodesLength()} codes")
    name, version = operator_code(model.OperatorCodes(code))
    where = f"operator {index} ({name})"
    options = operator.CustomOptionsAsNumpy() if operator.CustomOptionsLength() else None
    reads = _indices(operator, "Inputs")
    return Operator(
        index=index,
        name=name,
        version=version,
        # -1 stands for an optional input that is absent.
        inputs=tuple(_pick(tensors, position, where) for position in reads if position != -1),
        outputs=tuple(_pick(tensors, position, where) for position in _indices(operator, "Outputs")),
        custom_options=b"" if options is None else options.tobytes(),
        absent=tuple(place for place, position in enumerate(reads) if position == -1),
    )


def _pick(tensors: list[Tensor], index: int, where: str) -> Tensor:
    if not 0 <= index < len(tensors):
        raise ModelFileError(f"{where} names tensor {index}; the graph has {len(tensors)} tensors")
    return tensors[index]


def builtin_code(code: Any) -> int:
    """Returns an operator code's number: the larger of two fields, as TFLite has it.

    Codes beyond 127 live in the newer field only; older files have the older field only. The generated reader of the
    newer one gives the older for small numbers.
    """
    place = code._tab.Offset(_NEWER_CODE)
    newer = code._tab.Get(number_types.Int32Flags, place + code._tab.Pos) if place else 0
    return max(newer, code.DeprecatedBuiltinCode())


def operator_code(code: Any) -> tuple[str, int]:
    """Returns an operator code's name, or the custom code of a custom operator, and its version."""
    builtin = builtin_code(code)
    if builtin == tflite.BuiltinOperator.CUSTOM:
        return _text(code.CustomCode()) or "CUSTOM", code.Version()
    return tflite.BUILTIN_OPCODE2NAME.get(builtin, f"BUILTIN_{builtin}"), code.Version()


def _tensor(model, tensor, index: int) -> Tensor:
    quantization = tensor.Quantization()
    scales, zero_points = _quantization(quantization)
    if not 0 <= tensor.Buffer() < max(model.BuffersLength(), 1):
        raise ModelFileError(f"tensor {index} names buffer {tensor.Buffer()}; the file has {model.BuffersLength()}")
    if tensor.ShapeLength() > _MOST_DIMENSIONS:
        raise ModelFileError(f"tensor {index} has {tensor.ShapeLength()} dimensions; allowed: up to {_MOST_DIMENSIONS}")
    shape = tuple(int(tensor.Shape(axis)) for axis in range(tensor.ShapeLength()))
    if any(size < 0 for size in shape) or prod(shape) > _MOST_ITEMS:
        raise ModelFileError(f"tensor {index} has the shape {list(shape)}")
    buffer = model.Buffers(tensor.Buffer()) if model.BuffersLength() else None
    return Tensor(
        index=index,
        name=_text(tensor.Name()),
        dtype=_TYPE_NAMES.get(tensor.Type(), f"type_{tensor.Type()}"),
        shape=shape,
        scales=scales,
        zero_points=zero_points,
        # Contents of very large files stand behind the flatbuffer, by offset and size.
        constant_bytes=0 if buffer is None else buffer.DataLength() or buffer.Size(),
        quantized_dimension=0 if quantization is None else quantization.QuantizedDimension(),
    )


def _quantization(table: Any) -> tuple[tuple[float, ...], tuple[int, ...]]:
    if table is None or table.ScaleLength() == 0:
        return (), ()
    scales = tuple(map(float, table.ScaleAsNumpy()))
    if not all(map(isfinite, scales)):
        raise ModelFileError(f"a tensor has the quantization scale {next(s for s in scales if not isfinite(s))}")
    zero_points = table.ZeroPointAsNumpy() if table.ZeroPointLength() else ()
    return scales, tuple(map(int, zero_points))


def _ends(graph, tensors: list[Tensor], kind: str) -> tuple[Tensor, ...]:
    return tuple(_pick(tensors, index, f"the graph's {kind.lower()}") for index in _indices(graph, kind))


def _indices(table: object, kind: str) -> list[int]:
    found = getattr(table, f"{kind}AsNumpy")()
    # The generated readers give 0 for a vector that is absent.
    return [] if isinstance(found, int) else found.tolist()


def _named(model, graph, tensors: list[Tensor], kind: str) -> dict[str, Tensor]:
    if model.SignatureDefsLength() > 0 and model.SignatureDefs(0).SubgraphIndex() == 0:
        signature = model.SignatureDefs(0)
        maps = [getattr(signature, kind)(index) for index in range(getattr(signature, f"{kind}Length")())]
        return {_text(entry.Name()): _pick(tensors, entry.TensorIndex(), "the signature") for entry in maps}
    named: dict[str, Tensor] = {}
    for tensor in _ends(graph, tensors, kind):
        # Files of other origin may leave names out or use one twice.
        named[tensor.name if tensor.name and tensor.name not in named else f"{tensor.name}:{tensor.index}"] = tensor
    return named


def _metadata(model) -> dict[str, bytes]:
    found = {}
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if not 0 <= entry.Buffer() < model.BuffersLength():
            raise ModelFileError(f"metadata {index} names buffer {entry.Buffer()}; there are {model.BuffersLength()}")
        data = model.Buffers(entry.Buffer())
        name = _text(entry.Name())
        # The same buffer under many names would unfold without bound; the first of a name counts.
        if name not in found and sum(map(len, found.values())) + data.DataLength() <= _MOST_METADATA_BYTES:
            found[name] = data.DataAsNumpy().tobytes() if data.DataLength() else b""
    return found


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")
