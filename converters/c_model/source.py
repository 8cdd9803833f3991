"""What `ModelFile` leaves out and C needs: the constants' values and the operators' options."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import tflite

from tinycerb.converters.c_model.errors import UnsupportedModelError, refuse, refuse_tensor
from tinycerb.converters.model_file import ModelFile, ModelFileError, Operator, Tensor
from tinycerb.converters.number_formats import how_to_int8
from tinycerb.converters.verifier import verify_table

_NUMPY_TYPES = {"int8": np.int8, "int32": np.int32, "int64": np.int64, "uint8": np.uint8, "float32": np.float32}


class _Table(Protocol):
    def Init(self, buf: bytearray, pos: int) -> None: ...


OptionsOf = TypeVar("OptionsOf", bound=_Table)


@dataclass(frozen=True)
class Source:
    """A parsed file with its flatbuffer at hand."""

    file: ModelFile
    # As generated: whatever a file may lack is None there, and is verified before.
    graph: Any
    model: Any

    def constant(self, tensor: Tensor) -> np.ndarray | None:
        """Returns a constant's values in its shape, or None for an activation."""
        return self._values(tensor) if tensor.constant_bytes else None

    def _values(self, tensor: Tensor) -> np.ndarray:
        raw = self.model.Buffers(self.graph.Tensors(tensor.index).Buffer()).DataAsNumpy()
        return raw.view(_NUMPY_TYPES[tensor.dtype]).reshape(tensor.shape)

    def required_constant(self, operator: Operator, position: int, what: str) -> np.ndarray:
        """Returns the values of an input that must be constant.

        Raises:
            UnsupportedModelError: it is missing or computed at run time.
        """
        tensor = operator.inputs[position] if position < len(operator.inputs) else None
        if tensor is None or not tensor.constant_bytes:
            raise refuse(operator, f"its {what} is no constant; only constant ones are supported")
        if tensor.dtype not in _NUMPY_TYPES:
            raise refuse_tensor(operator, tensor, f"is {tensor.dtype}; allowed: {', '.join(_NUMPY_TYPES)}")
        return self._values(tensor)

    def options(self, operator: Operator, kind: type[OptionsOf]) -> OptionsOf:
        """Returns an operator's options as `kind`; the schema's defaults for fields that the file leaves out.

        Raises:
            UnsupportedModelError: the operator has no options, or others.
        """
        record = self.graph.Operators(operator.index)
        table, name = record.BuiltinOptions(), kind.__name__
        if table is None:
            raise refuse(operator, f"it has no options; expected {name}. Convert the model again")
        if record.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, name):
            raise refuse(operator, f"its options are of kind {record.BuiltinOptionsType()}; expected {name}")
        try:
            verify_table(self.file.content, table.Pos, name)
        except ModelFileError as error:
            raise refuse(operator, f"its options are damaged: {error}") from error
        options = kind()
        options.Init(table.Bytes, table.Pos)
        return options


def open_source(file: ModelFile) -> Source:
    """Opens the constants and options of a parsed file.

    Raises:
        UnsupportedModelError: the graph has not exactly one int8 input beside an optional `int32[1]`, and one output.
    """
    model = tflite.Model.GetRootAsModel(file.content, 0)
    source = Source(file=file, graph=model.Subgraphs(0), model=model)
    images = [tensor for tensor in file.graph_inputs if tensor.dtype == "int8"]
    others = [tensor for tensor in file.graph_inputs if tensor.dtype != "int8"]
    if len(images) != 1 or any(tensor.dtype != "int32" or tensor.shape != (1,) for tensor in others) or len(others) > 1:
        found = ", ".join(f"{tensor.dtype}{list(tensor.shape)}" for tensor in file.graph_inputs)
        raise UnsupportedModelError(
            f"the model's inputs are {found}; expected one int8 image and at most one int32[1] head{_way_out(file)}"
        )
    outputs = list(file.outputs.values())
    if len(outputs) != 1 or outputs[0].dtype != "int8":
        found = ", ".join(f"{tensor.dtype}{list(tensor.shape)}" for tensor in outputs)
        raise UnsupportedModelError(f"the model's outputs are {found}; expected one int8 tensor{_way_out(file)}")
    return source


def _way_out(file: ModelFile) -> str:
    told = how_to_int8(file)
    return f"; {told}" if told else ""
