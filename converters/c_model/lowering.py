"""The registry of operators: each turns into one or more kernel calls, or into nothing but another name."""

from collections.abc import Callable
from dataclasses import dataclass, field

from converters.c_model.errors import refuse
from converters.c_model.layer import Layer
from converters.c_model.source import Source
from converters.c_model.targets import Target
from converters.model_file import Operator


@dataclass
class Lowering:
    """What has been lowered so far.

    Attributes:
        source: the file.
        target: the family of cores.
        layers: in execution order.
        same_memory: tensors that are another name for a tensor's bytes.
        heads: rows of the head selection, 1 where there is none.
    """

    source: Source
    target: Target
    layers: list[Layer] = field(default_factory=list)
    same_memory: dict[int, int] = field(default_factory=dict)
    heads: int = 1

    def consumers(self, tensor: int) -> list[Operator]:
        """Operators that read a tensor."""
        return [op for op in self.source.file.operators if any(read.index == tensor for read in op.inputs)]

    def producer(self, tensor: int) -> Operator | None:
        """The operator that writes a tensor."""
        return next((op for op in self.source.file.operators if op.outputs[0].index == tensor), None)


Lower = Callable[[Lowering, Operator], None]
OPERATORS: dict[str, Lower] = {}


def lowers(*names: str) -> Callable[[Lower], Lower]:
    """Returns a decorator that files a function under the operators that it lowers."""

    def register(function: Lower) -> Lower:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


def check_int8(operator: Operator) -> None:
    """Refuses an operator whose first input and output are not quantized int8 with one scale each."""
    for tensor in (operator.inputs[0], operator.outputs[0]):
        if tensor.dtype != "int8" or len(tensor.scales) != 1:
            raise refuse(
                operator,
                f"tensor {tensor.index} is {tensor.dtype} with {len(tensor.scales)} scales; expected int8 with one "
                "(convert with full integer quantization)",
            )
        # What is folded into 32-bit sums relies on it.
        if not -128 <= tensor.zero_points[0] <= 127:
            raise refuse(operator, f"tensor {tensor.index} has the zero point {tensor.zero_points[0]}; expected int8")
