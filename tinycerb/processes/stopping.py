"""SIGTERM and SIGHUP end a command as Ctrl-C does: what runs is stopped, and what was begun is cleaned up."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from tinycerb.errors import ExitCode

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Those that have come; at most one is acted upon, so that a second does not cut the cleaning up short.
_received: list[int] = []


def stop_like_ctrl_c() -> None:
    """Makes SIGTERM and SIGHUP raise KeyboardInterrupt; one that is ignored, as under nohup, stays ignored."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def exit_code(code: int) -> int:
    """Returns the exit code of a command: 128 + the signal that has ended it, or `code`."""
    return 128 + _received[0] if _received and code == ExitCode.INTERRUPTED else code


@contextmanager
def deferred(act: Callable[[], None]) -> Iterator[None]:
    """Meanwhile Ctrl-C, SIGTERM and SIGHUP call `act` and raise nothing, so that no step is cut in two.

    In a thread beside the main one nothing is done: signals strike the main thread alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, _: FrameType | None) -> None:
        _note(number)
        act()

    before = {number: signal.getsignal(number) for number in _STOP}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    if not _received:
        _note(number)
        raise KeyboardInterrupt


def _note(number: int) -> None:
    if number != signal.SIGINT:
        _received.append(number)
