"""Writes small int8 .tflite files straight with flatbuffers, and makes random ones over the C runtime's operators."""

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
import tflite

_TYPES = {"int8": tflite.TensorType.INT8, "int32": tflite.TensorType.INT32}


class FlatModel:
    """A model under construction: tensors, then operators in execution order."""

    def __init__(self, defaults: bool = False) -> None:
        """With `defaults`, fields at their default stand in the file, too."""
        self._builder = flatbuffers.Builder(4096)
        self._builder.ForceDefaults(defaults)
        self._defaults = defaults
        self._tensors: list[int] = []
        self._buffers: list[bytes] = [b""]
        self._operators: list[int] = []
        self._codes: list[tuple[int, str]] = []
        self.shapes: list[tuple[int, ...]] = []
        self.quantization: list[tuple[Sequence[float], Sequence[int]]] = []

    def tensor(
        self,
        shape: Sequence[int],
        scales: Sequence[float] | Sequence[np.floating] | np.ndarray = (),
        zero_points: Sequence[int] = (),
        values: np.ndarray | None = None,
        axis: int = 0,
        name: str = "",
    ) -> int:
        """Adds a tensor, constant if it has values, and returns its index."""
        b = self._builder
        self._buffers.append(b"" if values is None else values.tobytes())
        text = b.CreateString(name or f"tensor_{len(self._tensors)}")
        quantization = None
        if len(scales):
            scale, zero = (
                b.CreateNumpyVector(np.array(scales, np.float32)),
                b.CreateNumpyVector(np.array(zero_points, np.int64)),
            )
            tflite.QuantizationParametersStart(b)
            tflite.QuantizationParametersAddScale(b, scale)
            tflite.QuantizationParametersAddZeroPoint(b, zero)
            tflite.QuantizationParametersAddQuantizedDimension(b, axis)
            quantization = tflite.QuantizationParametersEnd(b)
        sizes = b.CreateNumpyVector(np.array(shape, np.int32))
        dtype = "int8" if values is None and len(scales) else "int32" if values is None else values.dtype.name
        tflite.TensorStart(b)
        tflite.TensorAddShape(b, sizes)
        tflite.TensorAddType(b, _TYPES[dtype])
        tflite.TensorAddBuffer(b, len(self._buffers) - 1)
        tflite.TensorAddName(b, text)
        if quantization is not None:
            tflite.TensorAddQuantization(b, quantization)
        self._tensors.append(tflite.TensorEnd(b))
        self.shapes.append(tuple(shape))
        self.quantization.append((tuple(map(float, scales)), zero_points))
        return len(self._tensors) - 1

    def operator(
        self,
        name: str,
        inputs: Sequence[int],
        output: int,
        options: str | None = None,
        values: Mapping[str, Any] | None = None,
        custom: bool = False,
    ) -> int:
        """Adds an operator with its options table by name, and returns its output."""
        b = self._builder
        code = tflite.BuiltinOperator.CUSTOM if custom else getattr(tflite.BuiltinOperator, name)
        key = (code, name if custom else "")
        if key not in self._codes:
            self._codes.append(key)
        table = None
        if options is not None:
            values = {**(_defaults(options) if self._defaults else {}), **(values or {})}
            getattr(tflite, f"{options}Start")(b)
            for field, value in values.items():
                getattr(tflite, f"{options}Add{field}")(b, value)
            table = getattr(tflite, f"{options}End")(b)
        reads = b.CreateNumpyVector(np.array(inputs, np.int32))
        writes = b.CreateNumpyVector(np.array([output], np.int32))
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, self._codes.index(key))
        tflite.OperatorAddInputs(b, reads)
        tflite.OperatorAddOutputs(b, writes)
        if table is not None:
            tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, options or ""))
            tflite.OperatorAddBuiltinOptions(b, table)
        self._operators.append(tflite.OperatorEnd(b))
        return output

    def finish(self, inputs: Sequence[int], output: int) -> bytes:
        """Returns the file."""
        b = self._builder
        codes = []
        for code, custom in self._codes:
            text = b.CreateString(custom) if custom else None
            tflite.OperatorCodeStart(b)
            tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(code, 127))
            tflite.OperatorCodeAddBuiltinCode(b, code)
            tflite.OperatorCodeAddVersion(b, _VERSIONS.get(code, 1))
            if text is not None:
                tflite.OperatorCodeAddCustomCode(b, text)
            codes.append(tflite.OperatorCodeEnd(b))
        buffers = []
        for content in self._buffers:
            # TFLite reads constants in place and wants them aligned.
            data = None
            if content:
                b.StartVector(1, len(content), 16)
                b.head = b.head - len(content)
                b.Bytes[b.head : b.head + len(content)] = content
                data = b.EndVector()
            tflite.BufferStart(b)
            if data is not None:
                tflite.BufferAddData(b, data)
            buffers.append(tflite.BufferEnd(b))
        tensors, operators = self._offsets(self._tensors), self._offsets(self._operators)
        code_vector, buffer_vector = self._offsets(codes), self._offsets(buffers)
        reads = b.CreateNumpyVector(np.array(inputs, np.int32))
        writes = b.CreateNumpyVector(np.array([output], np.int32))
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tensors)
        tflite.SubGraphAddInputs(b, reads)
        tflite.SubGraphAddOutputs(b, writes)
        tflite.SubGraphAddOperators(b, operators)
        graphs = self._offsets([tflite.SubGraphEnd(b)])
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, 3)
        tflite.ModelAddOperatorCodes(b, code_vector)
        tflite.ModelAddSubgraphs(b, graphs)
        tflite.ModelAddBuffers(b, buffer_vector)
        b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
        return bytes(b.Output())

    def _offsets(self, offsets: Sequence[int]) -> int:
        b = self._builder
        b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            b.PrependUOffsetTRelative(offset)
        return b.EndVector()


def _defaults(options: str) -> dict[str, int]:
    """All scalar fields of an options table, and what they are where a file leaves them out."""
    adds = (name.removeprefix(f"{options}Add") for name in vars(tflite) if name.startswith(f"{options}Add"))
    return {name: int(name.startswith("Dilation")) for name in adds if name not in ("NewShape", "SqueezeDims", "Beta")}


# int8 needs later versions than the first.
_VERSIONS = {
    tflite.BuiltinOperator.CONV_2D: 3,
    tflite.BuiltinOperator.DEPTHWISE_CONV_2D: 3,
    tflite.BuiltinOperator.FULLY_CONNECTED: 4,
    tflite.BuiltinOperator.AVERAGE_POOL_2D: 2,
    tflite.BuiltinOperator.MAX_POOL_2D: 2,
    tflite.BuiltinOperator.MEAN: 2,
    tflite.BuiltinOperator.ADD: 2,
    tflite.BuiltinOperator.MUL: 2,
    tflite.BuiltinOperator.PAD: 2,
    tflite.BuiltinOperator.CONCATENATION: 2,
    tflite.BuiltinOperator.SOFTMAX: 2,
    tflite.BuiltinOperator.RELU: 2,
    tflite.BuiltinOperator.RELU6: 2,
    tflite.BuiltinOperator.LOGISTIC: 2,
    tflite.BuiltinOperator.QUANTIZE: 2,
    tflite.BuiltinOperator.STRIDED_SLICE: 2,
    tflite.BuiltinOperator.GATHER: 2,
}
