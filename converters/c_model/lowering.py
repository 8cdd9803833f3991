"""The registry of operators: how each is checked, and how it turns into kernel calls or another name for its input."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.c_model.targets import Target
from tinycerb.converters.model_file import Operator


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


# Refuses an operator, or returns the shape that its output has.
Check = Callable[[Source, Operator], tuple[int, ...]]
Lower = Callable[[Lowering, Operator], None]


@dataclass(frozen=True)
class Known:
    """An operator of the runtime.

    Attributes:
        check: what it must be like; runs on all operators before anything is lowered.
        newest: highest version whose meaning is the one of `lower`.
        lower: adds its kernel calls; it relies on `check`.
    """

    check: Check
    newest: int
    lower: Lower


OPERATORS: dict[str, Known] = {}


def lowers(*names: str, check: Check, newest: int = 1) -> Callable[[Lower], Lower]:
    """Returns a decorator that files a function under the operators that it lowers; none goes in unchecked."""

    def register(function: Lower) -> Lower:
        OPERATORS.update(dict.fromkeys(names, Known(check, newest, function)))
        return function

    return register
