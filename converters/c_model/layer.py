"""One step of the generated C, before it has addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tinycerb.converters.model_file import Operator


@dataclass(frozen=True)
class Array:
    """A constant array of the generated file: int8, int32 ..., written once however often it is used."""

    values: np.ndarray


Value = int | Array | Mapping[str, "Value"] | tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A call of one kernel.

    Attributes:
        operator: where it comes from, for messages and profiles.
        kernel: the C function's name; its parameters' type is `<kernel>_parameters` unless given.
        parameters: the members of its parameters.
        inputs: tensors read, by index; a constant one becomes an array.
        output: the tensor written.
        scratch_bytes: working memory during this layer alone.
        in_place: the output may take the first input's place where that is not needed any more.
        lead: where the output may lie over the input, which is then read before it is overwritten: by so many bytes its
            beginning must stand before the input's. 0: nowhere.
        parameters_type: C type of the parameters.
        constants: arrays that take the place of inputs, by their position.
    """

    operator: Operator
    kernel: str
    parameters: Mapping[str, Value]
    inputs: tuple[int, ...]
    output: int
    scratch_bytes: int = 0
    in_place: bool = False
    lead: int = 0
    parameters_type: str = ""
    constants: Mapping[int, Array] = field(default_factory=dict)
