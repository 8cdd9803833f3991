"""The serial protocol over a bad line: nothing wrong is ever accepted."""

import ctypes
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tinycerb.boards.build import firmware_folder
from tinycerb.boards.device import Device
from tinycerb.boards.frames import Frame, FrameReader
from tinycerb.errors import HardwareError

PAYLOAD = 40


class _Parser(ctypes.Structure):
    _fields_ = (
        ("buffer", ctypes.c_void_p), ("capacity", ctypes.c_uint32), ("used", ctypes.c_uint32),
        ("consumed", ctypes.c_uint32),
    )  # fmt: skip


class _Frame(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_uint8), ("sequence", ctypes.c_uint8), ("length", ctypes.c_uint32),
        ("payload", ctypes.c_void_p),
    )  # fmt: skip


@dataclass
class FirmwareParser:
    """The firmware's parser, compiled for this computer with its memory checked by size."""

    library: ctypes.CDLL
    payload: int = PAYLOAD

    def __post_init__(self) -> None:
        self.memory = ctypes.create_string_buffer(self.payload + 9)
        self.parser = _Parser(ctypes.addressof(self.memory), self.payload + 9, 0, 0)

    def feed(self, content: bytes) -> list[Frame]:
        found, frame = [], _Frame()
        for byte in content:
            more = self.library.frame_feed(ctypes.byref(self.parser), ctypes.c_uint8(byte), ctypes.byref(frame))
            while more:
                found.append(Frame(frame.type, frame.sequence, ctypes.string_at(frame.payload, frame.length)))
                more = self.library.frame_next(ctypes.byref(self.parser), ctypes.byref(frame))
            assert self.parser.used <= self.parser.capacity
        return found


@pytest.fixture(scope="session")
def parser_library(tmp_path_factory) -> ctypes.CDLL:
    path = tmp_path_factory.mktemp("frames") / "frame.so"
    source = firmware_folder() / "application" / "frame.c"
    subprocess.run(["cc", "-std=c99", "-O1", "-shared", "-fPIC", "-o", str(path), str(source)], check=True)
    return ctypes.CDLL(str(path))


def disturb(content: bytes, rng: np.random.Generator) -> bytes:
    """Drops, flips and repeats bytes: about one frame in three is hit."""
    out = bytearray()
    for byte in content:
        fate = rng.integers(0, 300)
        if fate == 0:
            continue
        out.append(byte ^ (1 << int(rng.integers(8))) if fate == 1 else byte)
        if fate == 2:
            out.append(byte)
    return bytes(out)


@pytest.mark.parametrize("side", ["host", "firmware"])
def test_whole_frames_come_through_and_damaged_ones_do_not(parser_library: ctypes.CDLL, side: str) -> None:
    """10,000 frames, marks inside payloads included; none is accepted that was not sent."""
    rng = np.random.default_rng(4)
    reader = FrameReader(PAYLOAD) if side == "host" else FirmwareParser(parser_library)
    sent, received = set(), []
    for index in range(10_000):
        payload = rng.choice(np.array([0xA5, 0, 1, 7], np.uint8), int(rng.integers(0, PAYLOAD + 1))).tobytes()
        frame = Frame(int(rng.integers(1, 5)), index % 256, payload)
        sent.add(frame)
        received += reader.feed(disturb(frame.encode(), rng))
    assert [frame for frame in received if frame not in sent] == []
    assert len(received) > 7000


def test_an_undisturbed_line_loses_nothing(parser_library: ctypes.CDLL) -> None:
    frames = [Frame(3, index, bytes([index, 0xA5] * (index % 20))) for index in range(256)]
    stream = b"noise\xa5\x01" + b"".join(frame.encode() for frame in frames)
    for reader in (FrameReader(PAYLOAD), FirmwareParser(parser_library)):
        assert reader.feed(stream)[-250:] == frames[-250:]


def test_bytes_of_a_long_frame_are_moved_once(tmp_path: Path) -> None:
    """Not all of them for every further one: a frame of 4 KB would move 8 MB."""
    counting = tmp_path / "counting.c"
    counting.write_text(
        "#include <string.h>\nsize_t moved;\n"
        "static void *counted(void *to, const void *from, size_t count) {\n"
        "    moved += count;\n    return memmove(to, from, count);\n}\n"
        f'#define memmove counted\n#include "{firmware_folder() / "application" / "frame.c"}"\n'
    )
    subprocess.run(["cc", "-std=c99", "-shared", "-fPIC", "-o", str(tmp_path / "a.so"), str(counting)], check=True)
    library = ctypes.CDLL(str(tmp_path / "a.so"))
    frame, found = Frame(3, 1, bytes(4096)).encode(), _Frame()
    memory = ctypes.create_string_buffer(len(frame))
    parser = _Parser(ctypes.addressof(memory), len(frame), 0, 0)
    for byte in frame * 3:
        library.frame_feed(ctypes.byref(parser), ctypes.c_uint8(byte), ctypes.byref(found))
    assert found.length == 4096
    assert ctypes.c_size_t.in_dll(library, "moved").value <= 3 * len(frame)


class BadLine:
    """A device behind a line that disturbs both directions: it adds 1 to every byte of a question."""

    def __init__(self, library: ctypes.CDLL, rng: np.random.Generator) -> None:
        self._parser, self._rng, self._out = FirmwareParser(library), rng, bytearray()
        self.now = 0.0

    def write(self, data: bytes) -> None:
        for frame in self._parser.feed(disturb(data, self._rng)):
            reply = Frame(frame.type | 0x80, frame.sequence, bytes((byte + 1) & 0xFF for byte in frame.payload))
            self._out += disturb(reply.encode(), self._rng)

    def read(self, size: int = 1) -> bytes:
        self.now += 1
        content, self._out = bytes(self._out[:size]), self._out[size:]
        return content


def test_answers_over_a_bad_line_are_right_or_missing(parser_library: ctypes.CDLL) -> None:
    rng = np.random.default_rng(9)
    line = BadLine(parser_library, rng)
    device = Device(line, patience=3, clock=lambda: line.now)
    right = failed = 0
    for _ in range(3000):
        question = rng.integers(0, 256, 30, dtype=np.uint8)
        try:
            answer = device.ask(question, 30)
        except HardwareError:
            failed += 1
            continue
        assert (answer == question + 1).all()
        right += 1
    # A question and its answer come through in 0.99^78 = 46 of 100 attempts, and four are made.
    assert right > 2600
    assert failed < 400


def test_a_silent_device_is_named() -> None:
    class Silence:
        now = 0.0

        def write(self, data: bytes) -> None:
            pass

        def read(self, size: int = 1) -> bytes:
            self.now += 1
            return b""

    line = Silence()
    with pytest.raises(HardwareError, match="the device is silent within 4 attempts of 3 seconds; check the cable"):
        Device(line, patience=3, clock=lambda: line.now).hello()


def test_a_wrong_baud_rate_is_named(parser_library: ctypes.CDLL) -> None:
    class Garbage:
        now = 0.0

        def write(self, data: bytes) -> None:
            pass

        def read(self, size: int = 1) -> bytes:
            self.now += 1
            return b"\xa5\x81\x01\x00"

    line = Garbage()
    with pytest.raises(HardwareError, match=r"answered nothing intact.*baud rate"):
        Device(line, patience=3, clock=lambda: line.now).hello()
