"""Where every tensor lives: one static block, in which tensors whose lives do not overlap share places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from converters.c_model.layer import Layer

_ALIGNMENT = 16


@dataclass(frozen=True)
class Arena:
    """The plan.

    Attributes:
        total_bytes: size of the block.
        tensors: offset of every tensor that is not constant.
        scratch: offset of every layer's working memory, for the layers that have any.
    """

    total_bytes: int
    tensors: Mapping[int, int]
    scratch: Mapping[int, int]


@dataclass
class _Block:
    bytes: int
    first: int
    last: int
    offset: int = 0


def plan_arena(
    layers: Sequence[Layer],
    sizes: Mapping[int, int],
    same_memory: Mapping[int, int],
    graph_input: int,
    graph_output: int,
) -> Arena:
    """Plans greedily, largest first, each at the lowest place that is free during its whole life.

    Args:
        layers: in execution order.
        sizes: bytes of every tensor.
        same_memory: tensors that are other names of a tensor.
        graph_input: tensor that is filled before the first layer.
        graph_output: tensor that is read after the last one.
    """

    def root(tensor: int) -> int:
        while tensor in same_memory:
            tensor = same_memory[tensor]
        return tensor

    last_use = {root(graph_output): len(layers)}
    for position, layer in enumerate(layers):
        for tensor in layer.inputs:
            last_use[root(tensor)] = max(last_use.get(root(tensor), position), position)
    blocks: dict[int, _Block] = {root(graph_input): _Block(sizes[root(graph_input)], 0, 0)}
    place: dict[int, int] = {root(graph_input): root(graph_input)}
    scratch: dict[int, _Block] = {}
    for position, layer in enumerate(layers):
        read = {place[root(tensor)] for tensor in layer.inputs if root(tensor) in place}
        for block in read:
            blocks[block].last = max(blocks[block].last, position)
        output = root(layer.output)
        if output not in place:
            place[output] = _reusable(layer, position, output, root, place, last_use, blocks, sizes)
            blocks.setdefault(place[output], _Block(sizes[output], position, position))
        blocks[place[output]].last = position
        if layer.scratch_bytes:
            scratch[position] = _Block(layer.scratch_bytes, position, position)
    blocks[place[root(graph_output)]].last = len(layers)
    total = _place([*blocks.values(), *scratch.values()])
    offsets = {tensor: blocks[block].offset for tensor, block in place.items()}
    offsets |= {tensor: offsets[root(tensor)] for tensor in same_memory if root(tensor) in offsets}
    return Arena(total, offsets, {position: block.offset for position, block in scratch.items()})


def _reusable(layer, position, output, root, place, last_use, blocks, sizes) -> int:
    """The block of an input that dies here and can be overwritten element by element, or a new one."""
    if layer.in_place:
        for tensor in layer.inputs:
            source = root(tensor)
            # Names that share the block may live longer than this one.
            sharers = [name for name, block in place.items() if source in place and block == place[source]]
            if (
                source in place
                and sizes[source] == sizes[output]
                and all(last_use.get(name, -1) <= position for name in sharers)
            ):
                return place[source]
    return output


def _place(blocks: Sequence[_Block]) -> int:
    placed: list[_Block] = []
    for block in sorted(blocks, key=lambda block: (-block.bytes, block.first)):
        offset = 0
        for other in sorted(placed, key=lambda other: other.offset):
            if other.first > block.last or other.last < block.first:
                continue
            if offset + block.bytes <= other.offset:
                break
            offset = max(offset, -(-(other.offset + other.bytes) // _ALIGNMENT) * _ALIGNMENT)
        block.offset = offset
        placed.append(block)
    return max(block.offset + block.bytes for block in placed)
