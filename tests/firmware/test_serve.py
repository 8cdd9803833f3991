"""What the application says to every kind of request, compiled for this computer."""

import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.firmware.random_models import random_model
from tests.fuzz.test_c_fuzz import IMAGE_BYTES, SEED, write_served_model
from tinycerb.boards.build import firmware_folder
from tinycerb.boards.device import ASK, COUNT, HELLO, PROFILE, TEST, VERSION
from tinycerb.boards.frames import Frame, FrameReader
from tinycerb.converters.c_model.host import runtime_sources
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.model_file import parse_model

REPLY, LIMITED, FAILED = 0x80, 0xFE, 0xFF
IMAGE = bytes(range(IMAGE_BYTES))
Talk = Callable[..., list[Frame]]


@pytest.fixture(scope="module")
def limited(tmp_path_factory) -> Talk:
    """Sends bytes to an application that answers two questions, and returns its replies without that of its start."""
    folder, root = tmp_path_factory.mktemp("serve"), firmware_folder()
    application = [root / "application" / f"{name}.c" for name in ("serve", "frame", "secret", "query_limit")]
    sources = [Path(__file__).with_name("serve_on_pipe.c"), *application, *write_served_model(folder)]
    includes = [folder, *(root / part for part in ("include", "kernels", "target", "application"))]
    command = ["cc", "-std=c99", "-O1", "-fno-strict-aliasing", *(f"-I{path}" for path in includes)]
    command += ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    # A question in 7.5 seconds of a clock of 1,000 ticks. It is read once per byte, and a few times per answer.
    command += ["-DTC_QUERY_LIMIT=2", "-DTC_QUERY_PERIOD=7500", "-DTC_CLOCK_HZ=1000u", "-o", str(folder / "serve")]
    subprocess.run([*command, *map(str, sources), *map(str, runtime_sources(root, "portable"))], check=True)

    def talk(*requests: Frame | bytes, ticks_to_start: int = 1) -> list[Frame]:
        stream = b"".join(each if isinstance(each, bytes) else each.encode() for each in requests)
        slow = {**os.environ, "TICKS_TO_START": str(ticks_to_start)}
        said = subprocess.run([str(folder / "serve")], input=stream, env=slow, capture_output=True, check=True).stdout
        first, *replies = FrameReader().feed(said)
        assert (first.type, first.sequence) == (0x82, 0)
        return replies

    return talk


def test_malformed_questions_take_nothing_out_of_the_bucket_and_are_not_answered(limited: Talk) -> None:
    malformed = [Frame(ASK, 1), Frame(ASK, 2, IMAGE[:-1]), Frame(ASK, 3, IMAGE[:1])]
    replies = limited(*malformed, Frame(ASK, 4, IMAGE), Frame(ASK, 5, IMAGE), Frame(COUNT, 6), *malformed)
    assert [(reply.type, reply.sequence) for reply in replies] == [
        (FAILED, 1), (FAILED, 2), (FAILED, 3), (ASK | REPLY, 4), (ASK | REPLY, 5), (COUNT | REPLY, 6),
        # With an empty bucket they are no question either.
        (FAILED, 1), (FAILED, 2), (FAILED, 3),
    ]  # fmt: skip
    assert [reply.payload for reply in replies if reply.type == FAILED] == [b""] * 6
    assert replies[5].payload == (2).to_bytes(4, "little") + (0).to_bytes(4, "little")
    assert sum(replies[3].payload) == 256


def test_a_question_too_many_is_refused_with_the_seconds_to_wait_and_counted(limited: Talk) -> None:
    replies = limited(*(Frame(ASK, index, IMAGE) for index in range(4)), Frame(COUNT, 9), Frame(HELLO, 10))
    assert [reply.type for reply in replies] == [ASK | REPLY] * 2 + [LIMITED] * 2 + [COUNT | REPLY, HELLO | REPLY]
    # 7.5 seconds, rounded up: a moment earlier it would be refused again.
    assert replies[2].payload == (8).to_bytes(4, "little")
    assert replies[4].payload == (2).to_bytes(4, "little") + (2).to_bytes(4, "little")


def test_time_fills_the_bucket_and_no_faster(limited: Talk) -> None:
    """Every byte on the line is a tick here, noise, too; a question takes 7,500."""
    ask, noise = Frame(ASK, 1, IMAGE), bytes(3000)
    asked = limited(ask, ask, noise, ask, noise, ask, bytes(2000), ask, ask, noise, ask, noise, ask, Frame(COUNT, 2))
    types = [reply.type for reply in asked]
    assert types == [ASK | REPLY] * 2 + [LIMITED] * 2 + [ASK | REPLY] + [LIMITED] * 3 + [COUNT | REPLY]
    waits = [int.from_bytes(reply.payload, "little") for reply in asked if reply.type == LIMITED]
    # A question has 73 bytes. Left of 7.5 seconds after 3.2 and 6.3; after 8.4 one is answered, and 0.9 are over.
    assert waits == [5, 2, 7, 4, 1]


def test_an_answers_own_time_fills_the_bucket_too(limited: Talk) -> None:
    """Three times 1,000 ticks for an answer, and 73 for a question: 1.3 seconds are left of two times 7.5 before it."""
    asked = limited(*(Frame(ASK, index, IMAGE) for index in range(3)), ticks_to_start=1000)
    assert [reply.type for reply in asked] == [ASK | REPLY] * 2 + [LIMITED]
    assert asked[2].payload == (2).to_bytes(4, "little")


def test_what_the_device_says_of_itself(limited: Talk) -> None:
    model = lower_model(parse_model(random_model(SEED)), "host")
    (reply,) = limited(Frame(HELLO, 7))
    facts = (VERSION, 2, model.heads, b"portable", IMAGE_BYTES, model.output.bytes, len(model.layers))
    assert reply == Frame(HELLO | REPLY, 7, struct.pack("<BBB8sIHH", *facts) + model.hash)


def test_golden_vectors_that_are_wrong_are_counted(limited: Talk) -> None:
    """One vector, all zeros; the stack's figure is the pipe's."""
    assert limited(Frame(TEST, 8)) == [Frame(TEST | REPLY, 8, struct.pack("<HHI", 1, 1, 1234))]


def test_a_profile_reads_the_clock_where_it_says(limited: Talk) -> None:
    """Draw, inference and answer take one reading each; a layer ends at the next one, the inference behind the last."""
    layers = len(lower_model(parse_model(random_model(SEED)), "host").layers)
    expected = struct.pack(f"<{3 + layers + 1}Q", 1, 1, 1, *range(1, layers + 2))
    assert limited(Frame(PROFILE, 9)) == [Frame(PROFILE | REPLY, 9, expected)]


def test_a_profile_has_more_than_32_bits_for_a_slow_device(limited: Talk) -> None:
    layers = len(lower_model(parse_model(random_model(SEED)), "host").layers)
    ends = [2**33 + end for end in range(1, layers + 2)]
    expected = struct.pack(f"<{3 + layers + 1}Q", *[2**33 + 1] * 3, *ends)
    assert limited(Frame(PROFILE, 9), ticks_to_start=2**33 + 5) == [Frame(PROFILE | REPLY, 9, expected)]


def test_an_unknown_request_fails(limited: Talk) -> None:
    assert limited(Frame(0x55, 3, IMAGE)) == [Frame(FAILED, 3)]
