"""Cortex-M0 and M0+: every number is certain but the multiplier's, which a chip's maker chooses (1 or 32 cycles)."""

from tinycerb.boards.cycle_model.span import Span, exactly
from tinycerb.boards.cycle_model.timings import Timings

# Chips with a model on them have the fast one.
_MULTIPLIER = Span(1, 1, 32)

CORTEX_M0 = Timings(
    source="Cortex-M0 Technical Reference Manual r0p0, table 3-1",
    refill=exactly(2),
    cycles={"mul": _MULTIPLIER} | {name: exactly(4) for name in ("mrs", "msr", "dmb", "dsb", "isb")},
    store=2,
    indexed_store=2,
    pipelines=False,
    jump_extra={"bl": 1, "pop": 1},
)

CORTEX_M0_PLUS = Timings(
    source="Cortex-M0+ Technical Reference Manual r0p1, table 3-1",
    refill=exactly(1),
    cycles={"mul": _MULTIPLIER} | {name: exactly(3) for name in ("mrs", "msr", "dmb", "dsb", "isb")},
    store=2,
    indexed_store=2,
    pipelines=False,
    jump_extra={"bl": 1, "pop": 1},
)
