"""What long work tells: its progress to a callable, so that workers need no terminal, and sentences to people."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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


OnProgress = Callable[[Progress], None]


def ignore(progress: Progress) -> None:
    """Takes an event and tells nobody."""


_is_silent: ContextVar[bool] = ContextVar("silent", default=False)


def say(text: str) -> None:
    """Tells people a sentence on standard error, results being for standard output; nothing within `silence`."""
    if not _is_silent.get():
        print(text, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def silence(wanted: bool = True) -> Iterator[None]:
    """Keeps what `say` is told meanwhile to itself, if that is wanted."""
    before = _is_silent.set(wanted or _is_silent.get())
    try:
        yield
    finally:
        _is_silent.reset(before)
