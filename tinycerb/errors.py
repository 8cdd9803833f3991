"""Errors that a user can act on, each with the exit code that it ends the command with."""

import difflib
from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command."""

    OK = 0
    GATE = 1
    USAGE = 2
    ENVIRONMENT = 3
    HARDWARE = 4
    # EX_SOFTWARE of sysexits.h: never 1, which a script takes for a gate.
    INTERNAL = 70
    INTERRUPTED = 130
    # As a shell counts a program that SIGPIPE ended.
    OUTPUT_CLOSED = 141


class TinyCerbError(Exception):
    """A clear message for the user: the wrong value, the allowed ones and the next command."""

    exit_code: ExitCode = ExitCode.GATE


class GateError(TinyCerbError):
    """A result does not meet a stated bar (exit 1)."""

    exit_code = ExitCode.GATE


class UsageError(TinyCerbError):
    """Wrong arguments or configuration (exit 2)."""

    exit_code = ExitCode.USAGE


class EnvironmentProblem(TinyCerbError):
    """Missing data, packages, permissions or disk space (exit 3)."""

    exit_code = ExitCode.ENVIRONMENT


class HardwareError(TinyCerbError):
    """A board, probe or emulator that is missing, silent or wrong (exit 4)."""

    exit_code = ExitCode.HARDWARE


class InternalError(TinyCerbError):
    """A fault of TinyCerb's own (exit 70)."""

    exit_code = ExitCode.INTERNAL


class Interrupted(TinyCerbError):
    """The user has stopped the work (exit 130)."""

    exit_code = ExitCode.INTERRUPTED


def error_from_exit_code(message: str, exit_code: int) -> TinyCerbError:
    """Rebuilds in the parent the error that a worker process has reported; what is no code of ours is a fault."""
    kinds = (GateError, UsageError, EnvironmentProblem, HardwareError, Interrupted)
    return next((kind for kind in kinds if kind.exit_code == exit_code), InternalError)(message)


def suggest(wrong: str, allowed: Iterable[str]) -> str:
    """Returns ` (did you mean 'x'?)` for the nearest allowed word, or nothing when none is near."""
    nearest = difflib.get_close_matches(wrong, list(allowed), n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""
