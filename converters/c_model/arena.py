"""Where every tensor lives: one static block, in which tensors whose lives do not overlap share places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinycerb.converters.c_model.layer import Layer

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
    over: "_Block | None" = None  # the input that it may lie over, and by how much it must begin before that
    lead: int = 0


def plan_arena(
    layers: Sequence[Layer],
    sizes: Mapping[int, int],
    same_memory: Mapping[int, int],
    graph_input: int,
    graph_output: int,
) -> Arena:
    """Plans greedily, each block at the lowest place that is free during its whole life; of several orders the best.

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
            if place[output] not in blocks:
                over = blocks[place[root(layer.inputs[0])]] if layer.lead else None
                blocks[place[output]] = _Block(sizes[output], position, position, over=over, lead=layer.lead)
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


# Largest first packs well; later ones first lets outputs lie below the inputs that they grow over.
_ORDERS = (
    lambda block: (-block.bytes, block.first),
    lambda block: (-block.bytes, -block.first),
    lambda block: (-block.first, -block.bytes),
    lambda block: (-block.last, -block.bytes),
)


def _place(blocks: Sequence[_Block]) -> int:
    totals = [_place_in(sorted(blocks, key=order)) for order in _ORDERS]
    return _place_in(sorted(blocks, key=_ORDERS[totals.index(min(totals))]))


def _place_in(blocks: Sequence[_Block]) -> int:
    placed: list[_Block] = []
    for block in blocks:
        taken = sorted(
            _forbidden(block, other) for other in placed if other.first <= block.last and other.last >= block.first
        )
        offset = 0
        for low, high in taken:
            if offset <= low:
                break
            offset = max(offset, -(-high // _ALIGNMENT) * _ALIGNMENT)
        block.offset = offset
        placed.append(block)
    return max(block.offset + block.bytes for block in placed)


def _forbidden(block: _Block, other: _Block) -> tuple[int, int]:
    """The block may begin at the first offset or before, or at the second or behind."""
    before, after = block.bytes, other.bytes
    # Both live at the layer that reads one and writes the other, and never else.
    if block.over is other and other.last == block.first:
        before = min(before, block.lead)
    if other.over is block and block.last == other.first:
        after = min(after, other.lead)
    return other.offset - before, other.offset + after
