"""What the application says to every kind of request, compiled for this computer."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from converters.c_model.host import runtime_sources
from tests.fuzz.test_c_fuzz import IMAGE_BYTES, write_served_model
from tinycerb.boards.build import firmware_folder
from tinycerb.boards.device import ASK, COUNT, HELLO
from tinycerb.boards.frames import Frame, FrameReader

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
    # A question in 7.5 seconds of a clock of 1,000 ticks, which stands still.
    command += ["-DTC_QUERY_LIMIT=2", "-DTC_QUERY_PERIOD=7500", "-DTC_CLOCK_HZ=1000u", "-o", str(folder / "serve")]
    subprocess.run([*command, *map(str, sources), *map(str, runtime_sources(root, "portable"))], check=True)

    def talk(*requests: Frame | bytes) -> list[Frame]:
        stream = b"".join(each if isinstance(each, bytes) else each.encode() for each in requests)
        said = subprocess.run([str(folder / "serve")], input=stream, capture_output=True, check=True).stdout
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


def test_an_unknown_request_fails(limited: Talk) -> None:
    assert limited(Frame(0x55, 3, IMAGE)) == [Frame(FAILED, 3)]
