"""What a core's manual says of its instructions, and the price of a block of code by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tinycerb.boards.cycle_model.instruction import Instruction
from tinycerb.boards.cycle_model.span import NONE, Span, exactly


@dataclass(frozen=True)
class Timings:
    """A core without caches, whose memory makes it wait for nothing.

    Attributes:
        source: the manual and its table.
        refill: further cycles after a jump, until the pipeline works again.
        cycles: by name, of what takes more than one cycle; loads and stores are priced apart.
        store: cycles of a store, `indexed_store` where its offset is a register.
        pipelines: whether a load's data phase and the next access's address phase are one cycle.
        jump_extra: further cycles of jumps by name.
        peak: multiply-accumulates per cycle at best; 0 where no instruction does more than one.
    """

    source: str
    refill: Span
    cycles: Mapping[str, Span]
    store: int
    indexed_store: int
    pipelines: bool
    jump_extra: Mapping[str, int] = field(default_factory=dict)
    peak: float = 0


@dataclass(frozen=True)
class Price:
    """What a block costs.

    Attributes:
        always: each time that it is executed.
        jumped: further, each time that its conditional jump at the end is taken.
    """

    always: Span
    jumped: Span


def price(block: Sequence[Instruction], timings: Timings) -> Price:
    """Prices a block: instructions in a row of which the last may jump."""
    total, before = NONE, None
    for instruction in block:
        total += _cycles(instruction, before, timings)
        before = instruction
    last = block[-1]
    if not last.jumps:
        # It ends where another block begins that is jumped to.
        return Price(total, NONE)
    refill = timings.refill + exactly(timings.jump_extra.get(last.name, 0))
    return Price(total, refill) if last.conditional else Price(total + refill, NONE)


def _cycles(instruction: Instruction, before: Instruction | None, timings: Timings) -> Span:
    """Without what a jump adds."""
    words = len(instruction.loads) + instruction.stores
    if words > 1:
        return exactly(1 + words)
    if words == 0:
        return timings.cycles.get(instruction.name, exactly(1))
    follows = timings.pipelines and before is not None and _can_be_followed(before, instruction)
    store = timings.indexed_store if instruction.indexed else timings.store
    alone = store if instruction.stores else 2
    return exactly(1 if follows and not instruction.updates_base else alone)


def _can_be_followed(load: Instruction, access: Instruction) -> bool:
    """A single load that leaves its base alone, and whose value is no part of the next address."""
    return len(load.loads) == 1 and not load.updates_base and not set(load.loads) & set(access.address)
