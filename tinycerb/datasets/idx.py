"""The IDX format of the MNIST family."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from tinycerb.errors import EnvironmentProblem

_UNSIGNED_BYTE = 0x08


def read_idx(path: Path, shape: tuple[int, ...], remedy: str) -> np.ndarray:
    """Reads a gzipped IDX file of unsigned bytes.

    Args:
        path: the file.
        shape: the shape that it must have.
        remedy: the command that brings a sound copy, for the error message.

    Returns:
        uint8 array of that shape.

    Raises:
        EnvironmentProblem: missing, unreadable, truncated or of another shape.
    """
    try:
        with gzip.open(path) as file:
            # One byte more than expected, so that an endless stream is noticed without reading it.
            expected = int(np.prod(shape))
            header_bytes = 4 + 4 * len(shape)
            content = file.read(header_bytes + expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise EnvironmentProblem(
            f"the data file {path} is missing or corrupt ({error}); mend it with: {remedy}"
        ) from error
    header = np.frombuffer(content[:header_bytes].ljust(header_bytes, b"\0"), ">i4")
    magic = _UNSIGNED_BYTE << 8 | len(shape)
    found = tuple(int(size) for size in header[1:])
    if header[0] != magic or found != shape or len(content) != header_bytes + expected:
        raise EnvironmentProblem(
            f"the data file {path} is corrupt: magic {int(header[0]):#x}, shape {found}, {len(content)} bytes; "
            f"expected {magic:#x}, {shape}, {header_bytes + expected} bytes; mend it with: {remedy}"
        )
    return np.frombuffer(content, np.uint8, offset=header_bytes).reshape(shape)
