"""Which cores have published timings."""

from collections.abc import Mapping

from tinycerb.boards.cycle_model.cortex_m0 import CORTEX_M0, CORTEX_M0_PLUS
from tinycerb.boards.cycle_model.cortex_m3 import CORTEX_M3
from tinycerb.boards.cycle_model.cortex_m4 import CORTEX_M4
from tinycerb.boards.cycle_model.timings import Timings

TIMINGS: Mapping[str, Timings] = {
    "cortex-m0": CORTEX_M0,
    "cortex-m0plus": CORTEX_M0_PLUS,
    "cortex-m3": CORTEX_M3,
    "cortex-m4": CORTEX_M4,
}
