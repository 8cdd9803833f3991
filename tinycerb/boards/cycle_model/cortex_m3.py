"""Cortex-M3: long products and divisions end early, by the values."""

from tinycerb.boards.cycle_model.span import Span, exactly
from tinycerb.boards.cycle_model.timings import Timings

# 1 to 3 cycles, by the alignment and width of what is jumped to and how early its address is known.
REFILL = Span(1, 2, 3)
DIVISION = Span(2, 7, 12)
# Folded where it follows a 16-bit instruction.
CONDITION = Span(0, 1, 1)

CORTEX_M3 = Timings(
    source="Cortex-M3 Technical Reference Manual r2p1, table 3-1 and section 3.3.2",
    refill=REFILL,
    cycles={
        "mla": exactly(2), "mls": exactly(2), "sdiv": DIVISION, "udiv": DIVISION, "it": CONDITION,
        "smull": Span(3, 4, 5), "umull": Span(3, 4, 5), "smlal": Span(4, 6, 7), "umlal": Span(4, 6, 7),
        "tbb": exactly(2), "tbh": exactly(2), "mrs": Span(1, 2, 2), "msr": Span(1, 2, 2),
    },
    store=1,
    indexed_store=2,
    pipelines=True,
)  # fmt: skip
