"""NumPy's files: what every array would take is read from its header before any of them is made."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from tinycerb.bounded.files import memory_limit, open_regular, require_memory
from tinycerb.errors import EnvironmentProblem, UsageError

_REMEDY = "write it again with np.savez_compressed"
_MOST_ARRAYS = 1000
_MOST_SIDE = 2**62
# What NumPy writes. Others unpack far more than they are asked for.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Reads all arrays of a .npz file.

    Raises:
        UsageError: no regular file, no .npz file, Python objects in it, or more than the memory limit.
        EnvironmentProblem: missing or corrupt.
    """
    try:
        with open_regular(path, memory_limit()) as file:
            return read_npz_from(file, path)
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror or error}") from error


def read_npz_from(file: IO[bytes], path: Path) -> dict[str, np.ndarray]:
    """Reads all arrays of a .npz file that is open; `path` is its name in messages. Errors as `read_npz`."""
    try:
        start = file.read(6)
        file.seek(0)
        if start == b"\x93NUMPY":
            raise UsageError(f"{path} holds a single array without a name; {_REMEDY}")
        if start and not start.startswith(b"PK"):
            raise _pickled(path)
        with zipfile.ZipFile(file) as archive:
            return _read_members(archive, path)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise EnvironmentProblem(f"{path} is corrupt or cannot be read ({error}); {_REMEDY}") from error
    # Encrypted, or of a layout that zipfile does not know; and whatever damaged bytes call for.
    except (RuntimeError, NotImplementedError, OverflowError, MemoryError, TypeError, IndexError) as error:
        raise EnvironmentProblem(f"{path} is corrupt or cannot be read ({error!r}); {_REMEDY}") from error


def read_npy(path: Path) -> np.ndarray:
    """Reads the one array of a .npy file.

    Raises:
        UsageError: no regular file, or more than the memory limit.
        OSError, ValueError: it cannot be read, or is no .npy file of plain numbers.
    """
    with open_regular(path, memory_limit()) as file:
        require_memory(_bytes_of(file, path), str(path))
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_members(archive: zipfile.ZipFile, path: Path) -> dict[str, np.ndarray]:
    members = archive.infolist()
    if len(members) > _MOST_ARRAYS:
        raise UsageError(f"{path} holds {len(members):,} arrays; allowed: up to {_MOST_ARRAYS:,}")
    total = 0
    for member in members:
        if member.compress_type not in _METHODS:
            raise UsageError(f"{path} is packed by a method that NumPy does not use; {_REMEDY}")
        with archive.open(member) as file:
            total += _bytes_of(file, path)
    require_memory(total, str(path))
    arrays = {}
    for member in members:
        with archive.open(member) as file:
            arrays[member.filename.removesuffix(".npy")] = np.lib.format.read_array(file, allow_pickle=False)
    return arrays


def _bytes_of(file: IO[bytes], path: Path) -> int:
    """Returns the memory that an array takes, by its header; an element of no bytes counts as one."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"layout {version} of .npy; known: {', '.join(map(str, _HEADERS))}")
    shape, _, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        raise _pickled(path)
    # NumPy's own count of a dtype's bytes has 32 bits.
    if dtype.itemsize < 0 or any(not 0 <= side < _MOST_SIDE for side in shape):
        raise ValueError("an array of a shape that no array has")
    return math.prod(shape) * max(dtype.itemsize, 1)


def _pickled(path: Path) -> UsageError:
    return UsageError(
        f"{path} holds pickled Python objects or is no .npz file; pickles are never opened, since they can run code; "
        f"{_REMEDY}, from arrays of numbers"
    )
