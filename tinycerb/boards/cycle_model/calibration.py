"""What silicon takes where the tables count on memory that waits for nothing."""

from dataclasses import dataclass

from tinycerb.boards.cycle_model.span import Span


@dataclass(frozen=True)
class Calibration:
    """Factors on what the tables give.

    Attributes:
        factor: silicon's cycles by the tables': the band's ends and what the estimate takes.
        told: where that comes from, for people.
    """

    factor: Span
    told: str

    def applied(self, cycles: Span) -> Span:
        """The estimate and its band."""
        return Span(cycles.low * self.factor.low, cycles.typical * self.factor.typical, cycles.high * self.factor.high)


# Nothing is faster than the tables; caches and flash made public results on M4 slower by a half at most.
UNCALIBRATED = Calibration(Span(1.0, 1.0, 1.5), "the manual's table, no wait states; no public result to calibrate on")
