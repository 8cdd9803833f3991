"""Cores whose tables were held against public results: MLPerf Tiny's of an STM32L4R5 (Cortex-M4, 120 MHz, round 1.0,
microTVM with CMSIS-NN).

Two networks set the factor; the others were not used for it and say how far off it is.
`make bench-upstream TFLM=DIR CMSIS_NN=DIR` prices the same kernels anew.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinycerb.boards.cycle_model.calibration import Calibration
from tinycerb.boards.cycle_model.span import Span


@dataclass(frozen=True)
class PublicResult:
    """Somebody's measurement on silicon beside the tables' price of the same kernels.

    Attributes:
        network: of MLPerf Tiny.
        milliseconds: as published.
        priced_cycles: of TFLite Micro with CMSIS-NN (99f736a), by the tables alone.
        used: whether the factor is made of it.
    """

    network: str
    milliseconds: float
    priced_cycles: float
    used: bool

    @property
    def ratio(self) -> float:
        """Silicon's cycles by the tables'."""
        return self.milliseconds * _CLOCK_HZ / 1e3 / self.priced_cycles


_CLOCK_HZ = 120e6
# Flash that makes the core wait, other compilers and an older library: all of it is in the factor.
CORTEX_M4_RESULTS = (
    PublicResult("DS-CNN", 99.8, 9_555_011, used=True),
    PublicResult("MobileNetV1", 301, 30_445_172, used=True),
    PublicResult("ResNet-8", 390, 38_201_828, used=False),
    PublicResult("autoencoder", 8.6, 725_279, used=False),
)


def calibrate(results: Sequence[PublicResult]) -> Calibration:
    """The factor is the geometric mean of the used results; the band holds all of them, and memory without waits."""
    used = [result.ratio for result in results if result.used]
    factor = math.prod(used) ** (1 / len(used))
    errors = ", ".join(f"{r.network} {_signed(factor / r.ratio - 1)}" for r in results if not r.used)
    names = " and ".join(result.network for result in results if result.used)
    return Calibration(
        Span(1.0, factor, max(result.ratio for result in results)),
        f"x {factor:.2f}, from CMSIS-NN's {names} on an STM32L4R5 at 120 MHz; error where not used: {errors}",
    )


def _signed(share: float) -> str:
    return f"{share:+.0%}" if round(share, 2) else "0%"


CALIBRATED: Mapping[str, Calibration] = {"cortex-m4": calibrate(CORTEX_M4_RESULTS)}
