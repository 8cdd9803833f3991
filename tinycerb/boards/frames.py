"""Frames on the serial line: the host's side of `firmware_stub/application/frame.h`."""

import zlib
from dataclasses import dataclass

MARK = 0xA5
_HEADER = 5
OVERHEAD = 9
_LARGEST = 0xFFFF


@dataclass(frozen=True)
class Frame:
    """A request or a reply."""

    type: int
    sequence: int
    payload: bytes = b""

    def encode(self) -> bytes:
        """Returns the bytes on the line.

        Raises:
            ValueError: a payload of more than 65,535 bytes.
        """
        if len(self.payload) > _LARGEST:
            raise ValueError(f"the payload has {len(self.payload):,} bytes; at most {_LARGEST:,}")
        body = bytes([self.type, self.sequence]) + len(self.payload).to_bytes(2, "little") + self.payload
        return bytes([MARK]) + body + zlib.crc32(body).to_bytes(4, "little")


class FrameReader:
    """Finds frames in a stream that may drop, flip or repeat bytes.

    Args:
        largest: largest payload that can come; a longer one is noise.
    """

    def __init__(self, largest: int = _LARGEST) -> None:
        self._largest = largest
        self._buffer = bytearray()

    def feed(self, content: bytes) -> list[Frame]:
        """Takes bytes and returns the frames that they complete; whatever is not part of one is skipped."""
        self._buffer += content
        found = []
        while True:
            start = self._buffer.find(MARK)
            del self._buffer[: len(self._buffer) if start < 0 else start]
            if len(self._buffer) < _HEADER:
                return found
            length = int.from_bytes(self._buffer[3:5], "little")
            if length > self._largest:
                del self._buffer[0]
                continue
            if len(self._buffer) < length + OVERHEAD:
                return found
            body = bytes(self._buffer[1 : _HEADER + length])
            told = int.from_bytes(self._buffer[_HEADER + length : OVERHEAD + length], "little")
            if told != zlib.crc32(body):
                del self._buffer[0]
                continue
            found.append(Frame(body[0], body[1], body[4:]))
            del self._buffer[: length + OVERHEAD]
