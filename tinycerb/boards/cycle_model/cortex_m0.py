"""Cortex-M0 and M0+: every number is certain but the multiplier's, which a chip's maker chooses (1 or 32 cycles).

Chips that a model suits have the fast one, nRF51 and RP2040 among them; the source that is printed says so.
"""

from tinycerb.boards.cycle_model.span import exactly
from tinycerb.boards.cycle_model.timings import Timings

CORTEX_M0 = Timings(
    source="Cortex-M0 Technical Reference Manual r0p0, table 3-1, one-cycle multiplier",
    refill=exactly(2),
    cycles={name: exactly(4) for name in ("mrs", "msr", "dmb", "dsb", "isb")},
    store=2,
    indexed_store=2,
    pipelines=False,
    jump_extra={"bl": 1, "pop": 1},
)

CORTEX_M0_PLUS = Timings(
    source="Cortex-M0+ Technical Reference Manual r0p1, table 3-1, one-cycle multiplier",
    refill=exactly(1),
    cycles={name: exactly(3) for name in ("mrs", "msr", "dmb", "dsb", "isb")},
    store=2,
    indexed_store=2,
    pipelines=False,
    jump_extra={"bl": 1, "pop": 1},
)
