"""A reader of frames looks at every byte again that it took for a part of another frame; on either side of the line."""

import ctypes
from collections.abc import Callable
from functools import partial

import pytest

from tests.firmware.test_frames import PAYLOAD, FirmwareParser, parser_library
from tests.firmware.test_frames import _Frame as FoundFrame
from tests.firmware.test_frames import _Parser as Parser
from tinycerb.boards.frames import Frame, FrameReader

# A fixture of the module beside this one.
__all__ = ["parser_library"]
Reader = Callable[[], FrameReader | FirmwareParser]


@pytest.fixture(params=["host", "firmware"])
def make(request) -> Reader:
    """Makes a new reader."""
    if request.param == "host":
        return partial(FrameReader, PAYLOAD)
    return partial(FirmwareParser, request.getfixturevalue("parser_library"))


WHOLE = Frame(2, 7, b"whole")
# What may stand before a whole frame: the reader must look at every byte again that it took for another one's.
BEFORE = {
    "a frame that broke off": Frame(1, 1, bytes(20)).encode()[:12],
    "a mark alone": b"\xa5",
    "two marks": b"\xa5\xa5",
    "a length too large": b"\xa5\x01\x01\xff\xff",
    "the largest length": b"\xa5\x01\x01" + PAYLOAD.to_bytes(2, "little"),
    "one more than the largest length": b"\xa5\x01\x01" + (PAYLOAD + 1).to_bytes(2, "little"),
    "a wrong checksum": Frame(1, 1, b"12345").encode()[:-1] + b"\0",
    "noise": bytes(range(0xA5)),
}


@pytest.mark.parametrize("before", list(BEFORE.values()), ids=list(BEFORE))
def test_the_first_whole_frame_after_anything_comes_through(make: Reader, before: bytes) -> None:
    """At once where the damaged one is known to be over, else when its length is filled."""
    assert make().feed(before + WHOLE.encode() + bytes(PAYLOAD)) == [WHOLE]


def test_frames_inside_a_damaged_one_come_through(make: Reader) -> None:
    """Three whole frames, of which two stand where a flipped length has put the payload of another."""
    inner = [Frame(1, 1, b"a"), Frame(1, 2, b""), Frame(1, 3, b"c")]
    damaged = b"\xa5\x01\x09" + (24).to_bytes(2, "little")
    assert make().feed(damaged + b"".join(frame.encode() for frame in inner)) == inner


def test_a_firmware_that_does_not_ask_for_a_second_frame_loses_none(parser_library) -> None:
    """The next byte finds the frame thrown away that was given out: there is no place behind the largest one."""
    memory, found = ctypes.create_string_buffer(b"\0" * (PAYLOAD + 9) + b"guard"), FoundFrame()
    parser = Parser(ctypes.addressof(memory), PAYLOAD + 9, 0, 0)
    frames = [Frame(1, index, bytes([index] * size)) for index, size in enumerate((PAYLOAD, 3, PAYLOAD, PAYLOAD, 0))]
    given = []
    for byte in b"".join(frame.encode() for frame in frames):
        if parser_library.frame_feed(ctypes.byref(parser), ctypes.c_uint8(byte), ctypes.byref(found)):
            given.append(Frame(found.type, found.sequence, ctypes.string_at(found.payload, found.length)))
    assert given == frames
    assert memory.raw[PAYLOAD + 9 :] == b"guard\0"


def test_the_largest_payload_fits(make: Reader) -> None:
    largest = Frame(3, 1, bytes(range(PAYLOAD)))
    assert make().feed(largest.encode() * 3) == [largest] * 3


def test_lengths_have_two_bytes(parser_library) -> None:
    frames = [Frame(1, index, bytes([index] * size)) for index, size in enumerate((255, 256, 257, 600))]
    stream = b"".join(frame.encode() for frame in frames)
    assert FirmwareParser(parser_library, payload=600).feed(stream) == frames
    assert FrameReader(600).feed(stream) == frames
