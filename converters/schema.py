"""What a .tflite file is made of while it is changed: the parts of the schema's mutable objects that are touched here.

The runtimes' packages generate these classes without types; `flatbuffer_writer.unpack_model` gives them.
"""

from collections.abc import Sequence
from typing import Protocol

import flatbuffers
import numpy as np

Text = bytes | str | None
Numbers = Sequence[int] | np.ndarray


class MutableBuffer(Protocol):
    """Bytes of one constant; none for an activation."""

    data: Numbers | None


class MutableTensor(Protocol):
    """A tensor of the graph, by the index of its buffer."""

    name: Text
    type: int
    buffer: int
    shape: Numbers
    shapeSignature: Numbers | None
    hasRank: bool


class Options(Protocol):
    """Those of STRIDED_SLICE and PACK; other operators keep others in the same place."""

    axis: int
    beginMask: int
    endMask: int
    ellipsisMask: int
    newAxisMask: int
    shrinkAxisMask: int


class MutableOperator(Protocol):
    """An operator of the graph, by the indices of its code and tensors."""

    opcodeIndex: int
    inputs: Numbers
    outputs: Numbers
    builtinOptions: Options | None
    builtinOptionsType: int
    customOptions: Numbers | None


class MutableCode(Protocol):
    """Which operator a number stands for."""

    builtinCode: int
    deprecatedBuiltinCode: int
    customCode: Text
    version: int


class MutableGraph(Protocol):
    """A subgraph."""

    tensors: list[MutableTensor]
    operators: list[MutableOperator]
    inputs: Numbers
    outputs: Numbers


class MutableEnd(Protocol):
    """A tensor and what a signature calls it."""

    name: Text
    tensorIndex: int


class MutableSignature(Protocol):
    """Named inputs and outputs of a subgraph."""

    signatureKey: Text
    subgraphIndex: int
    inputs: list[MutableEnd]
    outputs: list[MutableEnd]


class MutableMetadata(Protocol):
    """A named buffer."""

    name: Text
    buffer: int


class MutableModel(Protocol):
    """A whole file, `ModelT`."""

    subgraphs: list[MutableGraph]
    buffers: list[MutableBuffer]
    operatorCodes: list[MutableCode]
    signatureDefs: list[MutableSignature] | None
    metadata: list[MutableMetadata] | None
    description: Text

    def Pack(self, builder: flatbuffers.Builder) -> int: ...


class _Models(Protocol):
    def InitFromPackedBuf(self, buffer: bytearray, position: int) -> MutableModel: ...


class _Codes(Protocol):
    CUSTOM: int


class Schema(Protocol):
    """The module with the classes of these objects."""

    ModelT: _Models
    BuiltinOperator: _Codes

    def BufferT(self) -> MutableBuffer: ...
    def MetadataT(self) -> MutableMetadata: ...
    def OperatorCodeT(self) -> MutableCode: ...
    def SignatureDefT(self) -> MutableSignature: ...
    def TensorMapT(self) -> MutableEnd: ...
