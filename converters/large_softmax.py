"""Files that end in a SOFTMAX over so many classes that TFLite's own sum of exponentials overflows.

From 512 nearly even classes on, the reference kernel shifts 32-bit numbers by 32 bits and more, which C leaves
undefined: it answers 255/256 for all of them, or 0, or stops. The defined value is the contract there, by the same
integer arithmetic without the overflow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import flatbuffers.number_types as numbers
import numpy as np
import tflite
from flatbuffers import encode

from tinycerb.converters.integer_softmax import softmax_codes
from tinycerb.converters.model_file import ModelFile, ModelFileError, Operator
from tinycerb.converters.verifier import verify_table

FIRST_OVERFLOW = 512
# The sum of so many exponentials still has a place in 32 bits.
MOST_CLASSES = 4096
_OTHER_NAMES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
_OUTPUTS, _OPERATORS = 8, 10


@dataclass(frozen=True)
class LargeSoftmax:
    """The end of a file: SOFTMAX, and nothing but other shapes behind it.

    Attributes:
        before: the file up to the logits, which are its output instead.
        classes: of one row.
        step: what one step of the logits is worth, times beta.
        output: the name of the whole file's output.
        shape: its shape.
    """

    before: ModelFile
    classes: int
    step: float
    output: str
    shape: tuple[int, ...]

    def posterior(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns the whole file's output, int8 k/256 - 1/2, from that of `before`."""
        (logits,) = outputs.values()
        codes = softmax_codes(logits.reshape(-1, self.classes), self.step)
        return {self.output: (codes ^ 0x80).view(np.int8).reshape(self.shape)}


def overflows(operator: Operator) -> bool:
    """Whether an operator is an int8 SOFTMAX the sum of whose exponentials can overflow in TFLite."""
    if operator.name != "SOFTMAX" or not operator.inputs or not operator.outputs:
        return False
    logits = operator.inputs[0]
    sound = logits.dtype == operator.outputs[0].dtype == "int8" and len(logits.scales) == 1
    return sound and logits.shape[-1:] >= (FIRST_OVERFLOW,)


def is_end(file: ModelFile, operator: Operator) -> bool:
    """Whether all that follows an operator gives other shapes to its output, which is the file's."""
    last = operator.outputs[:1]
    for following in file.operators[operator.index + 1 :]:
        if following.name not in _OTHER_NAMES or following.inputs[:1] != last:
            return False
        last = following.outputs[:1]
    return last == tuple(file.outputs.values())


def large_softmax(file: ModelFile) -> LargeSoftmax | None:
    """Returns what a file ends in, or None where the reference kernels compute all of it.

    Raises:
        ModelFileError: the SOFTMAX has no options, or damaged ones.
    """
    found = next((operator for operator in file.operators if overflows(operator)), None)
    if found is None or not is_end(file, found):
        return None
    ((name, output),) = file.outputs.items()
    logits = found.inputs[0]
    before = replace(
        file,
        content=_cut(file.content, found.index, logits.index),
        operators=file.operators[: found.index],
        outputs={name: logits},
        graph_outputs=(logits,),
    )
    return LargeSoftmax(before, logits.shape[-1], _beta(file, found) * logits.scales[0], name, output.shape)


def exactness(file: ModelFile) -> str:
    """Returns which bytes a file's answers are, in a sentence for its card."""
    contract = "Every byte is that of TFLite's reference kernels"
    end = large_softmax(file)
    if end is None:
        return f"{contract}."
    return (
        f"{contract} up to the SOFTMAX over {end.classes:,} classes, whose sum overflows there where {FIRST_OVERFLOW} "
        "or more are nearly even; its bytes are those of the same arithmetic without the overflow."
    )


def _beta(file: ModelFile, operator: Operator) -> float:
    graph: Any = tflite.Model.GetRootAsModel(file.content, 0).Subgraphs(0)
    table = graph.Operators(operator.index).BuiltinOptions()
    if table is None:
        raise ModelFileError("SOFTMAX has no options; convert the model again")
    verify_table(file.content, table.Pos, "SoftmaxOptions")
    options = tflite.SoftmaxOptions()
    options.Init(table.Bytes, table.Pos)
    return options.Beta()


def _cut(content: bytes, operators: int, output: int) -> bytes:
    """Returns the file with its first `operators`, which put out tensor `output`."""
    changed = bytearray(content) + bytes(-len(content) % 4)
    graph: Any = tflite.Model.GetRootAsModel(content, 0).Subgraphs(0)
    table = graph._tab
    # The length stands before the first operator.
    encode.Write(numbers.UOffsetTFlags.packer_type, changed, table.Vector(table.Offset(_OPERATORS)) - 4, operators)
    # A list of its own: equal lists stand in a file once.
    place = table.Pos + table.Offset(_OUTPUTS)
    encode.Write(numbers.UOffsetTFlags.packer_type, changed, place, len(changed) - place)
    return bytes(changed + np.array([1, output], "<u4").tobytes())
