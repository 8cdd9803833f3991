"""A device that runs the firmware, asked over its serial line."""

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tinycerb.boards.frames import Frame, FrameReader
from tinycerb.errors import HardwareError

HELLO, TEST, ASK, PROFILE, COUNT, LIMITED, FAILED = 1, 2, 3, 4, 5, 0x7E, 0x7F
SELECTIONS = ("fixed", "random", "keyed", "coarse_keyed")
VERSION = 2
_REPLY = 0x80
_ATTEMPTS = 4
_WAIT_BYTES = 4


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


def patience_within(limit: float) -> float:
    """Returns seconds to wait for a reply so that all attempts together take at most `limit`; 15 at most."""
    return min(15.0, limit / _ATTEMPTS)


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
    """

    def __init__(self, line: Line, patience: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._patience = patience
        self._clock = clock
        self._sequence = 0

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
        return Greeting(version, name, heads, kernels.rstrip(b"\0").decode(), inputs, outputs, layers, payload[19:])

    def self_test(self) -> SelfTest:
        """Runs the golden vectors through every head."""
        return SelfTest(*struct.unpack("<HHI", self._exchange(TEST, b"", 8)))

    def ask(self, image: np.ndarray, classes: int) -> np.ndarray:
        """Returns the answer to an int8 image: uint8 [classes], k/256 each, of a head that the device chose."""
        return np.frombuffer(self._exchange(ASK, np.ascontiguousarray(image).tobytes(), classes), np.uint8)

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
        request = Frame(kind, self._sequence, payload).encode()
        heard = False
        for _ in range(_ATTEMPTS):
            # A damaged length must not hold back replies until they fit a later question's sequence number.
            reader = FrameReader(max(expected, _WAIT_BYTES))
            self._line.write(request)
            until = self._clock() + self._patience
            while self._clock() < until:
                content = self._line.read(4096)
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
        waited = f"within {_ATTEMPTS} attempts of {self._patience:g} seconds"
        if heard:
            raise HardwareError(f"the device answered nothing intact {waited}; check cable, ground and baud rate")
        raise HardwareError(f"the device is silent {waited}; check the cable, the port, and that it runs this firmware")
