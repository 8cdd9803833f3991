"""A device that runs the firmware, asked over its serial line."""

import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tinycerb.boards.frames import OVERHEAD, Frame, FrameReader
from tinycerb.errors import HardwareError

HELLO, TEST, ASK, PROFILE, COUNT, PIECE, LIMITED, FAILED = 1, 2, 3, 4, 5, 6, 0x7E, 0x7F
# As in firmware_stub/application/image_pieces.h.
FRAME_IMAGE_BYTES, PIECE_BYTES, _OFFSET_BYTES = 4096, 1024, 4
SELECTIONS = ("fixed", "random", "keyed", "coarse_keyed")
VERSION = 2
_REPLY = 0x80
ATTEMPTS = 4
_WAIT_BYTES = 4
_CABLE = "check the cable, the port, and that it runs this firmware"
_GROUND = "check cable, ground and baud rate"


class Line(Protocol):
    """A serial line; pyserial's `Serial` is one."""

    def read(self, size: int = 1, /) -> bytes: ...
    def write(self, data: bytes, /) -> int | None: ...


@dataclass(frozen=True)
class Greeting:
    """What a device says about itself."""

    version: int
    selection: str
    heads: int
    kernels: str
    input_bytes: int
    output_bytes: int
    layers: int
    hash: bytes


@dataclass(frozen=True)
class SelfTest:
    """Result of the golden vectors on the device."""

    vectors: int
    wrong: int
    stack_bytes: int


def request_bytes(image_bytes: int) -> int:
    """Returns the bytes of the largest request of a device for such images."""
    payload = image_bytes if image_bytes <= FRAME_IMAGE_BYTES else _OFFSET_BYTES + PIECE_BYTES
    return payload + OVERHEAD


LARGEST_REQUEST = request_bytes(FRAME_IMAGE_BYTES)


class QueryLimitReached(HardwareError):
    """The device answers no more questions for now.

    Attributes:
        seconds: until it does, by its own clock.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the device limits questions: ask again in {seconds:,} seconds")
        self.seconds = seconds


class Device:
    """Asks and listens; repeats what got lost, accepts no reply whose checksum or sequence is wrong.

    Args:
        line: the serial line; its `read` must return after a short time with what there is.
        patience: seconds to wait for one reply.
        clock: for tests.
        advice: what to do about a device that is not heard; about cables by default.
        seconds_per_byte: that a request takes on the line, beside the patience.
    """

    def __init__(
        self,
        line: Line,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        advice: str | None = None,
        seconds_per_byte: float = 0.0,
    ) -> None:
        self._line = line
        self._patience = patience
        self._clock = clock
        self._advice = advice
        self._seconds_per_byte = seconds_per_byte
        self._sequence = 0
        self._awaited = 0

    def hello(self) -> Greeting:
        """Asks who is there.

        Raises:
            HardwareError: nobody, or firmware of another version.
        """
        payload = self._exchange(HELLO, b"", 51)
        version, selection, heads, kernels, inputs, outputs, layers = struct.unpack("<BBB8sIHH", payload[:19])
        if version != VERSION:
            raise HardwareError(
                f"the board's firmware speaks version {version} of the serial protocol, this TinyCerb version "
                f"{VERSION}; put it there again with: tinycerb flash"
            )
        name = SELECTIONS[selection] if selection < len(SELECTIONS) else f"selection {selection}"
        self._awaited = request_bytes(inputs)
        return Greeting(version, name, heads, kernels.rstrip(b"\0").decode(), inputs, outputs, layers, payload[19:])

    def self_test(self) -> SelfTest:
        """Runs the golden vectors through every head."""
        return SelfTest(*struct.unpack("<HHI", self._exchange(TEST, b"", 8)))

    def ask(self, image: np.ndarray, classes: int) -> np.ndarray:
        """Returns the answer to an int8 image: uint8 [classes], k/256 each, of a head that the device chose.

        An image of more than `FRAME_IMAGE_BYTES` goes in pieces, of which each is acknowledged.
        """
        content = np.ascontiguousarray(image).tobytes()
        if len(content) > FRAME_IMAGE_BYTES:
            for offset in range(0, len(content), PIECE_BYTES):
                piece = content[offset : offset + PIECE_BYTES]
                self._exchange(PIECE, offset.to_bytes(_OFFSET_BYTES, "little") + piece, _OFFSET_BYTES)
            content = zlib.crc32(content).to_bytes(4, "little")
        return np.frombuffer(self._exchange(ASK, content, classes), np.uint8)

    def count(self) -> tuple[int, int]:
        """Returns questions answered and refused since the device started; it must have been built with a limit."""
        answered, refused = struct.unpack("<II", self._exchange(COUNT, b"", 8))
        return answered, refused

    def profile(self, layers: int) -> np.ndarray:
        """Returns ticks of draw, inference and answer; then from the begin of another inference to every layer's end,
        where the clock was read, and to its own end."""
        return np.frombuffer(self._exchange(PROFILE, b"", 8 * (3 + layers + 1)), "<u8")

    def _exchange(self, kind: int, payload: bytes, expected: int) -> bytes:
        self._sequence = self._sequence % 255 + 1
        request, again = Frame(kind, self._sequence, payload).encode(), b""
        heard = False
        for _ in range(ATTEMPTS):
            # A damaged length must not hold back replies until they fit a later question's sequence number.
            reader = FrameReader(max(expected, _WAIT_BYTES))
            sent = again + request
            self._line.write(sent)
            # A damaged length makes the device wait for as much as it can hold; the next attempt ends that first.
            again = bytes(self._awaited)
            until = self._clock() + self._patience + len(sent) * self._seconds_per_byte
            while self._clock() < until:
                # As much as the reply has: a line gives that at once, more only when its own time is over.
                content = self._line.read(expected + OVERHEAD)
                heard = heard or bool(content)
                for frame in reader.feed(content):
                    if frame.sequence != self._sequence:
                        continue
                    if frame.type == FAILED | _REPLY:
                        raise HardwareError(f"the device refused request {kind}: it runs another model or protocol")
                    if frame.type == LIMITED | _REPLY and len(frame.payload) == _WAIT_BYTES:
                        wait = int.from_bytes(frame.payload, "little")
                        raise QueryLimitReached(wait)
                    if frame.type == kind | _REPLY and len(frame.payload) == expected:
                        return frame.payload
        waited = f"within {ATTEMPTS} attempts of {self._patience:g} seconds"
        if heard:
            raise HardwareError(f"the device answered nothing intact {waited}; {self._advice or _GROUND}")
        raise HardwareError(f"the device is silent {waited}; {self._advice or _CABLE}")
