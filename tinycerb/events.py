"""How long work tells its progress: a callable that takes events, so that workers need no terminal."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """A step of some work.

    Attributes:
        done: units finished.
        total: units in all.
        note: a few words on where it stands, such as `epoch 3, loss 0.41`.
    """

    done: int
    total: int
    note: str = ""


Report = Callable[[Progress], None]


def ignore(progress: Progress) -> None:
    """Takes an event and tells nobody."""
