"""Arrays over a pipe between two processes: a length, then an .npy file without pickles."""

import io
import struct
from typing import BinaryIO

import numpy as np

_LENGTH = struct.Struct("<Q")


def send_array(stream: BinaryIO, array: np.ndarray) -> None:
    """Writes one array and flushes."""
    # NumPy writes to files and to memory, but not to pipes.
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    stream.write(_LENGTH.pack(buffer.tell()))
    stream.write(buffer.getvalue())
    stream.flush()


def receive_array(stream: BinaryIO) -> np.ndarray:
    """Reads one array.

    Raises:
        EOFError: the stream ended.
        ValueError: it does not carry arrays.
    """
    (length,) = _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))
    return np.load(io.BytesIO(_read_exactly(stream, length)), allow_pickle=False)


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError(f"the pipe ended after {len(content)} of {size} bytes")
    return content
