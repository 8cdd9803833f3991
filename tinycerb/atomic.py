"""Files appear whole or not at all: written beside their target, synced, then renamed over it."""

import contextlib
import errno
import fcntl
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.bounded.files import memory_limit, read_bytes
from tinycerb.bounded.texts import parse_whole_number
from tinycerb.errors import EnvironmentProblem

_CAUSES = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "the file size limit (ulimit -f) is reached; raise it",
    errno.EACCES: "no permission to write there; choose another path with --out",
    errno.EPERM: "no permission to write there; choose another path with --out",
    errno.EROFS: "the file system is read-only; choose another path with --out",
    errno.ENOTDIR: "a part of the path is a file, not a directory; choose another path with --out",
}


def describe_os_error(path: Path, error: OSError) -> EnvironmentProblem:
    """Turns an operating-system error into one that names the path, the cause and the way out."""
    cause = _CAUSES.get(error.errno or 0, error.strerror or str(error))
    return EnvironmentProblem(f"cannot write {path}: {cause}")


def make_directory(path: Path) -> None:
    """Makes a directory with its parents.

    Raises:
        EnvironmentProblem: if it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise describe_os_error(path, error) from error


def write_bytes(path: Path, content: bytes, announce: Callable[[], None] | None = None) -> None:
    """Writes `content` to `path` atomically and durably.

    Args:
        path: where.
        content: what.
        announce: called when everything is on the disk except the name.

    Raises:
        EnvironmentProblem: on a full disk, a missing permission and the like; `path` is then untouched.
    """
    make_directory(path.parent)
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; a run directory is meant to be read by others as far as umask allows.
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        if announce is not None:
            announce()
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise describe_os_error(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)


@contextmanager
def locked_beside(path: Path) -> Iterator[None]:
    """Holds a lock on `path`, which need not exist, against other processes; a killed one lets it go.

    Raises:
        EnvironmentProblem: the folder cannot be written.
    """
    make_directory(path.parent)
    lock_path = path.with_name(f".{path.name}.lock")
    try:
        lock = lock_path.open("w")
    except OSError as error:
        raise describe_os_error(lock_path, error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_text(path: Path, content: str) -> None:
    """Writes UTF-8 text atomically; errors as `write_bytes`."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Writes JSON atomically; NaN and infinity are refused, since JSON has none."""
    write_bytes(path, pack_json(content))


def pack_json(content: Mapping[str, object]) -> bytes:
    """Returns a JSON object as it stands in a file."""
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays as an uncompressed .npz atomically."""
    write_bytes(path, pack_arrays(arrays))


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Returns arrays as an uncompressed .npz: the same bytes for the same arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        EnvironmentProblem: if the file is missing or is not a JSON object.
    """
    try:
        return parse_json(path, read_bytes(path, memory_limit()))
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror}") from error


def parse_json(path: Path, content: bytes) -> dict[str, object]:
    """Returns the JSON object that `content`, read from `path`, holds; errors as `read_json`."""
    try:
        found = json.loads(content, parse_int=parse_whole_number)
    except (ValueError, RecursionError) as error:
        raise EnvironmentProblem(
            f"{path} is not valid JSON ({error}); delete it and run again with --resume"
        ) from error
    if not isinstance(found, dict):
        raise EnvironmentProblem(f"{path} holds a JSON {type(found).__name__}, expected an object")
    return found
