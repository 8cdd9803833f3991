"""What an option allows, checked and in words."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tinycerb.errors import UsageError, suggest


@dataclass(frozen=True)
class Limits:
    """What an option means and allows.

    Attributes:
        meaning: one line for people.
        low: smallest allowed number.
        high: largest allowed number.
        above: number that all allowed ones are above.
        below: number that all allowed ones are below.
        choices: allowed words, a registry or a tuple; empty for any.
        zero: what 0 stands for; "" where it is a number like any other.
        empty: what an empty text or list stands for; "" where a list, or a text with choices, must hold something.
        joined: whether the value is several of the choices joined by `+`.
        weighted: whether each of these may have a weight, `NAME:0.3`.
        distinct: whether a list must not hold anything twice.
        listed: what `tinycerb ... list` prints the allowed names of; they are checked where they are known.
        local: whether it is a path, which no model's file may name.
    """

    meaning: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: Collection[str] = ()
    zero: str = ""
    empty: str = ""
    joined: bool = False
    weighted: bool = False
    distinct: bool = False
    listed: str = ""
    local: bool = False

    @property
    def allowed(self) -> str:
        """What is allowed, in words: `0 (all) or more`, `above 0, below 1`, `soft, hard`."""
        joined = "joined by +, weights behind a colon" if self.weighted else "joined by +"
        words = [
            *(self.choices or self._range()),
            joined if self.joined else "",
            f"or empty ({self.empty})" if self.empty else "",
        ]
        return ", ".join(filter(None, words))

    def _range(self) -> list[str]:
        if self.listed:
            return [f"names of `tinycerb {self.listed} list`"]
        if self.low is None:
            limits = (("above", self.above), ("at most", self.high), ("below", self.below))
            return [f"{word} {_number(limit)}" for word, limit in limits if limit is not None] or ["any"]
        low = _number(self.low) + (f" ({self.zero})" if self.zero else "")
        if self.high is not None:
            return [f"{low} to {_number(self.high)}"]
        return [f"{low} to below {_number(self.below)}" if self.below is not None else f"{low} or more"]

    def check(self, what: str, value: object) -> None:
        """Raises a UsageError that names `what`, the wrong value and the allowed ones, unless `value` is allowed."""
        if isinstance(value, tuple):
            if not value and not self.empty:
                raise UsageError(f"{what} is empty; name at least one")
            if self.distinct and len(set(value)) < len(value):
                raise UsageError(f"{what} is {list(value)}; allowed: each one once")
            single, verb = value, "has"
        elif self.joined:
            text = str(value)
            single, verb = (re.split(r"\s*\+\s*", text.strip()) if text or not self.empty else ()), "names"
        else:
            single, verb = (value,), "is"
        for each in single:
            name = each.partition(":")[0].strip() if self.weighted and isinstance(each, str) else each
            if self._refuses(name):
                near = suggest(str(name), self.choices) if self.choices else ""
                raise UsageError(f"{what} {verb} {each!r}{near}; allowed: {self.allowed}")

    def _refuses(self, value: Any) -> bool:
        if self.choices:
            return value not in self.choices and not (value == "" and self.empty)
        # Comparisons that NaN fails, too.
        return not (
            (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"
