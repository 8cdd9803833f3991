"""Cortex-M4: any product in one cycle, two of 16 bits among them."""

from tinycerb.boards.cycle_model.cortex_m3 import CONDITION, DIVISION, REFILL
from tinycerb.boards.cycle_model.span import Span, exactly
from tinycerb.boards.cycle_model.timings import Timings

CORTEX_M4 = Timings(
    source="Cortex-M4 Technical Reference Manual r0p1, table 3-1, section 3.3.2 and table 7-1",
    refill=REFILL,
    cycles={
        "sdiv": DIVISION, "udiv": DIVISION, "it": CONDITION, "tbb": exactly(2), "tbh": exactly(2),
        "mrs": Span(1, 2, 2), "msr": Span(1, 2, 2), "vdiv": exactly(14), "vsqrt": exactly(14),
        "vmla": exactly(3), "vmls": exactly(3), "vfma": exactly(3), "vfms": exactly(3), "vfnma": exactly(3),
        "vfnms": exactly(3), "vnmla": exactly(3), "vnmls": exactly(3),
    },
    store=1,
    indexed_store=2,
    pipelines=True,
    # SMLAD.
    peak=2,
)  # fmt: skip
