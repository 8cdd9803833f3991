"""Working memory planned from the file alone: which activations live at the same time, and where they could lie.

The plan is greedy by size, as TensorFlow Lite Micro's default planner is: the largest buffer first, each at the lowest
address where it meets no other that lives at the same time. What the interpreter keeps for good (per operator and
per tensor) depends on its version and on the width of a pointer, and is estimated.
"""

from bisect import insort
from dataclasses import dataclass

from tinycerb.converters.model_file import ModelFile, Tensor

_ALIGNMENT = 16
# A 32-bit core: node and registration per operator, evaluation struct per tensor, fixed parts of the interpreter.
_BYTES_PER_OPERATOR = 128
_BYTES_PER_TENSOR = 12
_BYTES_PER_CHANNEL = 8
_FIXED_BYTES = 1024
# Planning compares each buffer with each other one.
_MOST_BUFFERS = 2000


@dataclass(frozen=True)
class ArenaPlan:
    """Planned working memory.

    Attributes:
        offsets: per tensor index its byte offset; constants are not in it.
        nonpersistent_bytes: activations, planned exactly for kernels without scratch memory.
        persistent_bytes: an estimate for a 32-bit core.
    """

    offsets: dict[int, int]
    nonpersistent_bytes: int
    persistent_bytes: int

    @property
    def arena_bytes(self) -> int:
        """Both together."""
        return self.nonpersistent_bytes + self.persistent_bytes


@dataclass(frozen=True)
class _Buffer:
    tensor: Tensor
    first: int
    last: int
    size: int


def plan_arena(model: ModelFile) -> ArenaPlan | None:
    """Plans the main subgraph's activations.

    Returns:
        The plan, or None for a graph that is too large to be worth it: nothing near a microcontroller's.
    """
    buffers = sorted(_lifetimes(model), key=lambda buffer: (-buffer.size, buffer.first, buffer.tensor.index))
    if len(buffers) > _MOST_BUFFERS:
        return None
    placed: list[tuple[int, _Buffer]] = []
    for buffer in buffers:
        offset = 0
        # By rising offset, so that the first gap that is wide enough is the lowest one.
        for other_offset, other in placed:
            if other.last < buffer.first or buffer.last < other.first:
                continue
            if other_offset >= offset + buffer.size:
                break
            offset = max(offset, other_offset + other.size)
        insort(placed, (offset, buffer), key=lambda entry: entry[0])
    return ArenaPlan(
        offsets={buffer.tensor.index: offset for offset, buffer in placed},
        nonpersistent_bytes=max((offset + buffer.size for offset, buffer in placed), default=0),
        persistent_bytes=_persistent(model),
    )


def _lifetimes(model: ModelFile) -> list[_Buffer]:
    """Every activation from the operator that writes it to the last one that reads it."""
    first: dict[int, int] = {tensor.index: 0 for tensor in model.graph_inputs}
    last: dict[int, int] = dict(first)
    tensors = {tensor.index: tensor for tensor in model.graph_inputs}
    for step, operator in enumerate(model.operators):
        for tensor in operator.inputs:
            if tensor.index in first:
                last[tensor.index] = step
        for tensor in operator.outputs:
            tensors[tensor.index] = tensor
            first.setdefault(tensor.index, step)
            last[tensor.index] = step
    for tensor in model.graph_outputs:
        if tensor.index in first:
            last[tensor.index] = len(model.operators)
    return [
        _Buffer(tensor, first[index], last[index], _aligned(tensor.bytes))
        for index, tensor in tensors.items()
        if tensor.constant_bytes == 0
    ]


def _persistent(model: ModelFile) -> int:
    tensors = {tensor.index for op in model.operators for tensor in (*op.inputs, *op.outputs)}
    channels = sum(
        len(operator.inputs[1].scales)
        for operator in model.operators
        if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D") and len(operator.inputs) > 1
    )
    return _aligned(
        _FIXED_BYTES
        + _BYTES_PER_OPERATOR * len(model.operators)
        + _BYTES_PER_TENSOR * len(tensors)
        + _BYTES_PER_CHANNEL * channels
    )


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
