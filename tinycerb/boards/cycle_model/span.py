"""A number of cycles that is not known exactly."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """Cycles: at least `low`, at most `high`, most often about `typical`."""

    low: float
    typical: float
    high: float

    def __add__(self, other: "Span") -> "Span":
        """Both, one behind the other."""
        return Span(self.low + other.low, self.typical + other.typical, self.high + other.high)

    def times(self, count: float) -> "Span":
        """The same so many times."""
        return Span(self.low * count, self.typical * count, self.high * count)


def exactly(cycles: float) -> Span:
    """A number that is known."""
    return Span(cycles, cycles, cycles)


NONE = exactly(0)
