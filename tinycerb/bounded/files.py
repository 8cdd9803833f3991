"""Regular files alone, and no more of them than was agreed on: a pipe or /dev/zero has no end."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from tinycerb.errors import UsageError

# The one place where it stands: what arrays or pictures of one source may take, uncompressed.
_USUAL_BYTES = 4 * 2**30
_VARIABLE = "TINYCERB_MEMORY_GB"
HOW_TO_RAISE = f"a machine that has more may be given more: export {_VARIABLE}=..."
# No configuration, board or note that somebody has written is longer.
MOST_TEXT = 2**20
_PIECE = 2**16

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def memory_limit() -> int:
    """Returns how many bytes arrays or pictures may take: 4 GiB, at most half of the memory, or what a user says.

    Raises:
        UsageError: the variable TINYCERB_MEMORY_GB is no positive number.
    """
    given = os.environ.get(_VARIABLE, "")
    if not given:
        return min(_USUAL_BYTES, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
    try:
        wanted = float(given)
    except ValueError:
        wanted = 0.0
    if not 0 < wanted < 2**20:
        raise UsageError(f"{_VARIABLE} is {given[:40]!r}; expected gibibytes, such as 8")
    return int(wanted * 2**30)


def require_memory(wanted: int, what: str) -> None:
    """Asks before anything of that size is allocated.

    Args:
        wanted: bytes.
        what: what would take them, for the message.

    Raises:
        UsageError: more than `memory_limit`.
    """
    allowed = memory_limit()
    if wanted > allowed:
        raise UsageError(
            f"{what} would take {_in_words(wanted)} of memory; allowed: up to {_in_words(allowed)}; {HOW_TO_RAISE}"
        )


def open_regular(path: Path, most: int) -> BinaryIO:
    """Opens a file for reading.

    Args:
        path: where.
        most: bytes that it may have.

    Raises:
        UsageError: it is no regular file, or larger.
        OSError: it is not there, or may not be read.
    """
    # Before it is opened: that alone would wait for the other end of a pipe, or wake a device.
    _check(path, path.stat(), most)
    file = path.open("rb")
    try:
        _check(path, os.fstat(file.fileno()), most)
    except UsageError:
        file.close()
        raise
    return file


def read_bytes(path: Path, most: int) -> bytes:
    """Reads a whole file; errors as `open_regular`."""
    with open_regular(path, most) as file:
        # As many bytes as are asked for are set aside first.
        pieces = [file.read(os.fstat(file.fileno()).st_size + 1)]
        # Some files of the system say that they have none.
        while pieces[-1] and sum(map(len, pieces)) <= most:
            pieces.append(file.read(_PIECE))
    content = b"".join(pieces) if pieces[1:] and pieces[1] else pieces[0]
    if len(content) > most:
        raise UsageError(_too_large(path, len(content), most))
    return content


def read_text(path: Path, most: int = MOST_TEXT) -> str:
    """Reads UTF-8 text; errors as `open_regular`, or UnicodeDecodeError."""
    return read_bytes(path, most).decode()


def _check(path: Path, status: os.stat_result, most: int) -> None:
    for matches, kind in _KINDS:
        if matches(status.st_mode):
            raise UsageError(f"{path} is {kind}; allowed: a regular file")
    if status.st_size > most:
        raise UsageError(_too_large(path, status.st_size, most))


def _too_large(path: Path, found: int, most: int) -> str:
    return f"{path} has {found:,} bytes or more; allowed: up to {most:,}"


def _in_words(count: int) -> str:
    if count >= 10**300:
        return "10^300 bytes and more"
    return f"{count / 2**30:,.1f} GiB" if count >= 2**29 else f"{count / 2**20:,.1f} MiB"
