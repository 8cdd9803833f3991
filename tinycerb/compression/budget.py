"""How much must be pruned for a file and its working memory to fit: a search over measured sizes."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tinycerb.errors import GateError, UsageError

# Ratios are tried in these steps: finer ones would round to the same channels.
_STEP = 0.025
_MOST = 0.9
_UNITS = {"": 1, "B": 1, "KB": 1024, "KIB": 1024, "MB": 1024**2, "MIB": 1024**2}


@dataclass(frozen=True)
class Size:
    """What a network takes at one channel ratio, measured on its converted file.

    Attributes:
        ratio: share of the channels that is cut.
        file_bytes: the int8 file.
        constant_bytes: weights and biases in it.
        arena_bytes: TFLite Micro's arena.
        largest_operator: the operator whose inputs and outputs need most memory at once.
        largest_operator_bytes: how much.
    """

    ratio: float
    file_bytes: int
    constant_bytes: int
    arena_bytes: int
    largest_operator: str
    largest_operator_bytes: int


@dataclass(frozen=True)
class Budget:
    """Limits in bytes, 0 for none.

    Attributes:
        flash_bytes: for the file.
        ram_bytes: for the arena.
    """

    flash_bytes: int
    ram_bytes: int

    def fits(self, size: Size) -> bool:
        """Whether both limits hold."""
        return not self.excess(size)

    def excess(self, size: Size) -> list[str]:
        """Returns one sentence per limit that does not hold, with what takes the bytes."""
        found = []
        if self.flash_bytes and size.file_bytes > self.flash_bytes:
            found.append(
                f"the file has {size.file_bytes:,} bytes, --flash allows {self.flash_bytes:,} ({size.constant_bytes:,} "
                f"are weights; the rest is the graph, which channels do not change)"
            )
        if self.ram_bytes and size.arena_bytes > self.ram_bytes:
            found.append(
                f"the arena takes {size.arena_bytes:,} bytes, --ram allows {self.ram_bytes:,} "
                f"(what {size.largest_operator} reads and writes takes {size.largest_operator_bytes:,})"
            )
        return found


def fit_ratio(measure: Callable[[float], Size], budget: Budget) -> tuple[Size, list[Size]]:
    """Finds the smallest channel ratio that fits; sizes fall as the ratio grows.

    Args:
        measure: a ratio's size.
        budget: the limits.

    Returns:
        The size that fits, and all that were measured on the way.

    Raises:
        GateError: even the largest ratio does not fit; the message says what limits it.
    """
    tried: list[Size] = []

    def at(step: int) -> Size:
        tried.append(measure(round(step * _STEP, 6)))
        return tried[-1]

    if budget.fits(at(0)):
        return tried[-1], tried
    best, low, high = at(round(_MOST / _STEP)), 0, round(_MOST / _STEP)
    if not budget.fits(best):
        raise GateError(
            f"it does not fit with {best.ratio:.0%} of the channels cut, the most that is tried: "
            f"{'; '.join(budget.excess(best))}. Raise the limit, or take a narrower network: --set model.width=0.5"
        )
    while high - low > 1:
        middle = (low + high) // 2
        size = at(middle)
        if budget.fits(size):
            best, high = size, middle
        else:
            low = middle
    return best, tried


def parse_bytes(text: str, option: str) -> int:
    """Reads `48KB` as 48 x 1024 bytes.

    Args:
        text: a number with B, KB or MB behind it, or with nothing.
        option: whose value it is, for the message.

    Raises:
        UsageError: it is none, or not positive.
    """
    found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([A-Za-z]*)\s*", text)
    if not found or found.group(2).upper() not in _UNITS or float(found.group(1)) <= 0:
        raise UsageError(f"{option} is {text[:60]!r}; expected bytes, such as 49152, 48KB (1 KB = 1024 bytes) or 0.5MB")
    return int(float(found.group(1)) * _UNITS[found.group(2).upper()])
