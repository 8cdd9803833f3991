"""Images that no frame holds: pieces in order, each acknowledged, one question in the end."""

import os
import select
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.networks import few_large_steps
from tests.fuzz.test_c_fuzz import IMAGE_BYTES, PIECE, SMALL_PIECES, piece_frames, write_served_model
from tinycerb.boards.build import firmware_folder
from tinycerb.boards.device import ASK, COUNT, FRAME_IMAGE_BYTES, HELLO, PIECE_BYTES, PROFILE, TEST, Device
from tinycerb.boards.device import PIECE as PIECE_REQUEST
from tinycerb.boards.frames import Frame, FrameReader
from tinycerb.converters.c_model.host import runtime_sources, write_model
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.model_file import parse_model
from tinycerb.errors import HardwareError

REPLY, LIMITED, FAILED = 0x80, 0xFE, 0xFF
IMAGE, OTHER = bytes(range(IMAGE_BYTES)), bytes(range(100, 100 + IMAGE_BYTES))
APPLICATION = ("serve", "frame", "image_pieces", "secret", "query_limit")
LIMIT = ("-DTC_QUERY_LIMIT=2", "-DTC_QUERY_PERIOD=7500", "-DTC_CLOCK_HZ=1000u")
Talk = Callable[..., list[Frame]]


def compile_application(folder: Path, model: list[Path], *defines: str) -> Path:
    """The firmware on this computer, its serial line on standard input and output."""
    root = firmware_folder()
    sources = [Path(__file__).with_name("serve_on_pipe.c"), *model, *runtime_sources(root, "portable")]
    sources += [root / "application" / f"{name}.c" for name in APPLICATION]
    includes = [folder, *(root / part for part in ("include", "kernels", "target", "application"))]
    command = ["cc", "-std=c99", "-O1", "-fno-strict-aliasing", *(f"-I{path}" for path in includes), *defines]
    subprocess.run([*command, *map(str, sources), "-o", str(folder / "serve")], check=True)
    return folder / "serve"


@pytest.fixture(scope="module")
def talks(tmp_path_factory) -> dict[str, Talk]:
    """Two applications of one model that answer two questions: one whose frames hold its image, one whose do not."""

    def make(name: str, *defines: str) -> Talk:
        folder = tmp_path_factory.mktemp(name)
        program = compile_application(folder, write_served_model(folder), *LIMIT, *defines)

        def talk(*requests: Frame) -> list[Frame]:
            stream = b"".join(each.encode() for each in requests)
            said = subprocess.run([str(program)], input=stream, capture_output=True, check=True).stdout
            return FrameReader().feed(said)[1:]

        return talk

    return {"whole": make("whole"), "pieces": make("pieces", *SMALL_PIECES)}


@pytest.fixture
def talk(talks: dict[str, Talk]) -> Talk:
    return talks["pieces"]


def kinds(replies: list[Frame]) -> list[int]:
    return [reply.type for reply in replies]


def test_an_image_in_pieces_gets_the_answer_of_the_whole_one(talks: dict[str, Talk]) -> None:
    for image in (IMAGE, OTHER):
        (whole,) = talks["whole"](Frame(ASK, 4, image))
        *acknowledged, answer = talks["pieces"](*piece_frames(image))
        assert answer == whole
        assert [int.from_bytes(each.payload, "little") for each in acknowledged] == [PIECE, 2 * PIECE, IMAGE_BYTES]
        assert kinds(acknowledged) == [PIECE_REQUEST | REPLY] * 3
    assert sum(answer.payload) == 256


def test_pieces_are_one_question_of_the_limit(talk: Talk) -> None:
    replies = talk(*piece_frames(IMAGE), *piece_frames(OTHER, 5), *piece_frames(IMAGE, 9), Frame(COUNT, 20))
    assert kinds(replies)[3::4] == [ASK | REPLY, ASK | REPLY, LIMITED]
    assert replies[-1].payload == (2).to_bytes(4, "little") + (1).to_bytes(4, "little")


def test_an_answer_that_got_lost_is_said_again_and_not_counted(talk: Talk) -> None:
    *pieces, ask = piece_frames(IMAGE)
    *_, first, again, count = talk(*pieces, ask, ask, Frame(COUNT, 20))
    assert first == again
    assert first.type == ASK | REPLY
    assert count.payload == (1).to_bytes(4, "little") + (0).to_bytes(4, "little")


@pytest.mark.parametrize("between", [TEST, PROFILE], ids=["test", "profile"])
def test_what_runs_the_model_takes_the_place_of_the_image(talk: Talk, between: int) -> None:
    *pieces, ask = piece_frames(IMAGE)
    assert kinds(talk(*pieces, Frame(between, 9), ask))[-1] == FAILED
    # Nor is an answer repeated whose codes are gone.
    assert kinds(talk(*pieces, ask, Frame(between, 9), ask))[-1] == FAILED


def test_another_question_is_no_repetition(talk: Talk) -> None:
    *pieces, ask = piece_frames(IMAGE)
    for other in (Frame(ASK, ask.sequence + 1, ask.payload), Frame(ASK, ask.sequence, bytes(4))):
        assert kinds(talk(*pieces, ask, other))[-2:] == [ASK | REPLY, FAILED]
    assert kinds(talk(*pieces, ask, pieces[0], ask))[-1] == FAILED


def test_malformed_pieces_are_refused_and_take_nothing_out_of_the_bucket(talk: Talk) -> None:
    first, second, third, ask = piece_frames(IMAGE)
    past = Frame(PIECE_REQUEST, 7, (2 * PIECE).to_bytes(4, "little") + bytes(IMAGE_BYTES - 2 * PIECE + 1))
    far = Frame(PIECE_REQUEST, 8, b"\xff\xff\xff\xff" + bytes(8))
    for wrong in (
        third,
        past,
        far,
        Frame(PIECE_REQUEST, 9),
        Frame(PIECE_REQUEST, 9, bytes(4)),
        Frame(ASK, 9, IMAGE[:9]),
    ):
        replies = talk(first, wrong, second, third, ask, Frame(COUNT, 20))
        expected = [PIECE_REQUEST | REPLY, FAILED, PIECE_REQUEST | REPLY, PIECE_REQUEST | REPLY, ASK | REPLY]
        assert kinds(replies)[:-1] == expected, wrong
        assert replies[1].payload == b""
        assert replies[-1].payload == (1).to_bytes(4, "little") + bytes(4)
    for early in ((ask,), (first, second, ask), (first, second, third, Frame(ASK, 4, bytes(4)))):
        assert kinds(talk(*early, Frame(COUNT, 20)))[-2:] == [FAILED, COUNT | REPLY]
        assert talk(*early, Frame(COUNT, 20))[-1].payload == bytes(8)


def test_pieces_come_again_and_images_begin_again(talk: Talk) -> None:
    first, second, third, ask = piece_frames(IMAGE)
    right = talk(first, second, third, ask)[-1]
    other = piece_frames(OTHER)
    for stream in ((first, first, second, second, third, third), (*other[:2], first, second, third)):
        assert talk(*stream, ask)[-1] == right


def test_firmware_whose_frames_hold_the_image_knows_no_pieces(talks: dict[str, Talk]) -> None:
    assert kinds(talks["whole"](*piece_frames(IMAGE))) == [FAILED] * 4


class Pipe:
    """A line to the application that drops, flips and repeats one byte in `rate` in both directions."""

    def __init__(self, program: subprocess.Popen[bytes], rng: np.random.Generator, rate: int) -> None:
        self._program, self._rng, self._rate = program, rng, rate

    def write(self, data: bytes) -> None:
        os.write(self._program.stdin.fileno(), self._disturbed(data))  # type: ignore[union-attr]

    def read(self, size: int = 1) -> bytes:
        output = self._program.stdout.fileno()  # type: ignore[union-attr]
        ready, _, _ = select.select([output], [], [], 0.02)
        return self._disturbed(os.read(output, size)) if ready else b""

    def _disturbed(self, content: bytes) -> bytes:
        out = bytearray()
        hits = self._rng.integers(0, self._rate, len(content))
        for byte, fate in zip(content, hits, strict=True):
            if fate == 0:
                continue
            out.append(byte ^ (1 << int(self._rng.integers(8))) if fate == 1 else byte)
            if fate == 2:
                out.append(byte)
        return bytes(out)


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> tuple[Path, tuple[int, ...]]:
    """An application whose image of 4,800 bytes no frame holds."""
    folder = tmp_path_factory.mktemp("large")
    model = lower_model(parse_model(few_large_steps((40, 40, 3))), "host")
    write_model(model, folder)
    (folder / "golden.h").write_text(
        '#include "model.h"\n#define TC_GOLDEN_COUNT 1\n'
        "static const int8_t tc_golden_images[1][TC_INPUT_BYTES];\nstatic const uint32_t tc_golden_crcs[1];\n"
    )
    return compile_application(folder, [folder / "model.c"]), model.image.shape[1:]


@pytest.fixture
def device(large: tuple[Path, tuple[int, ...]]) -> Iterator[Callable[..., Device]]:
    with subprocess.Popen([str(large[0])], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        yield lambda rate=10**9: Device(Pipe(program, np.random.default_rng(3), rate), patience=0.1)
        program.kill()


def test_answers_about_large_images_are_right_or_missing_on_a_bad_line(
    device: Callable[..., Device], large: tuple[Path, tuple[int, ...]]
) -> None:
    """The firmware's own code and the host's: 40 images of five pieces, half of which meet a disturbance."""
    images = np.random.default_rng(8).integers(-128, 128, (40, *large[1]), dtype=np.int8)
    assert images[0].size > FRAME_IMAGE_BYTES
    assert -(-images[0].size // PIECE_BYTES) == 5
    good, bad = device(), device(rate=20_000)
    good.hello()
    expected = [good.ask(image, 3) for image in images]
    assert len(np.unique(expected, axis=0)) > 10
    bad.hello()
    right = 0
    for image, answer in zip(images, expected, strict=True):
        try:
            found = bad.ask(image, 3)
        except HardwareError:
            continue
        assert (found == answer).all()
        right += 1
    assert right >= 38


def test_a_question_that_left_the_device_waiting_for_more_comes_through(device: Callable[..., Device]) -> None:
    """A length that was damaged makes the device wait for a thousand bytes; a short question is not that long."""
    quiet = device()
    quiet.hello()
    stuck = bytes([0xA5, HELLO, 9]) + PIECE_BYTES.to_bytes(2, "little")
    quiet._line.write(stuck)
    assert quiet.hello().input_bytes == 4800
