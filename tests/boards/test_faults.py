"""Boards that are not as they should be, behind a pseudo-terminal: each ends `tinycerb flash` with 4, in its time."""

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.boards.conftest import Answer, Terminal
from tests.conftest import Cli
from tinycerb.boards.device import ASK, FAILED, HELLO, PROFILE, SELECTIONS, TEST, VERSION
from tinycerb.boards.frames import Frame
from tinycerb.converters.c_model.model import CModel, lower_model
from tinycerb.converters.model_file import read_model_file

Answering = Callable[[Answer], str]
LIMIT = 2.0


@dataclass(frozen=True)
class Pretender:
    """Says what a board of this model says, but for what a test changes."""

    model: CModel
    hash: bytes
    wrong_vectors: int = 0
    refuses: tuple[int, ...] = ()
    version: int = VERSION

    def __call__(self, request: Frame) -> bytes:
        model = self.model
        payloads = {
            HELLO: struct.pack(
                "<BBB8sIHH", self.version, SELECTIONS.index("keyed"), model.heads, b"dsp", model.image.bytes,
                model.output.bytes, len(model.layers),
            ) + self.hash,
            TEST: struct.pack("<HHI", 2, self.wrong_vectors, 400),
            ASK: bytes(model.output.bytes),
            PROFILE: bytes(8 * (3 + len(model.layers) + 1)),
        }  # fmt: skip
        if request.type in self.refuses:
            return Frame(FAILED | 0x80, request.sequence).encode()
        return Frame(request.type | 0x80, request.sequence, payloads[request.type]).encode()


@pytest.fixture(scope="session")
def pretender(model: Path) -> Pretender:
    lowered = lower_model(read_model_file(model))
    return Pretender(lowered, lowered.hash)


@pytest.fixture
def told(flash: Cli, tmp_path: Path) -> Callable[[str], str]:
    """Flashes a board that needs no tool, at a port; returns the error."""
    board = tmp_path / "own.toml"
    board.write_text(
        'description = "mine"\ncore = "cortex-m4"\nkernels = "dsp"\nflags = ["-mcpu=cortex-m4"]\n'
        "flash = { origin = 0x0, bytes = 0x100000 }\nram = { origin = 0x20000000, bytes = 0x40000 }\n"
        'stack_bytes = 0x1000\nserial = { driver = "cmsdk", base = 0x40004000, baud = 115200 }\n'
        'flasher = "command"\n\n[command]\nrun = "true {elf}"\n'
    )

    def call(port: str) -> str:
        began = time.monotonic()
        done = flash("--board", board, "--port", port, "--time-limit", LIMIT)
        assert (done.returncode, done.stdout) == (4, ""), done.stderr
        # The time limit, and what building takes on a machine that is busy with other things.
        assert time.monotonic() - began < LIMIT + 120
        return done.stderr

    return call


def test_a_silent_board(told: Callable[[str], str], terminal: Terminal) -> None:
    assert "the device is silent within 4 attempts of 0.5 seconds; check the cable" in told(terminal.name)


def test_a_board_that_falls_silent_after_a_while(
    told: Callable[[str], str], answering: Answering, pretender: Pretender
) -> None:
    port = answering(lambda request: pretender(request) if request.type != ASK else b"")
    assert "the device is silent" in told(port)


def test_a_cable_that_is_pulled(told: Callable[[str], str], answering: Answering, pretender: Pretender) -> None:
    port = answering(lambda request: pretender(request) if request.type == HELLO else None)
    assert "broke off" in told(port)


def test_checksums_that_are_wrong(told: Callable[[str], str], answering: Answering, pretender: Pretender) -> None:
    port = answering(lambda request: pretender(request)[:-1] + bytes([pretender(request)[-1] ^ 1]))
    assert "answered nothing intact within 4 attempts" in told(port)


def test_another_model(told: Callable[[str], str], answering: Answering, pretender: Pretender) -> None:
    message = told(answering(replace(pretender, hash=bytes(range(32)))))
    assert f"runs another model: 0001020304050607..., expected {pretender.hash.hex()[:16]}..." in message


def test_firmware_of_another_version(told: Callable[[str], str], answering: Answering, pretender: Pretender) -> None:
    message = told(answering(replace(pretender, version=1)))
    assert "speaks version 1 of the serial protocol, this TinyCerb version 2; put it there again" in message


def test_wrong_golden_vectors(told: Callable[[str], str], answering: Answering, pretender: Pretender) -> None:
    assert "1 of 2 golden vectors are wrong on the board" in told(answering(replace(pretender, wrong_vectors=1)))


def test_an_answer_of_no_head(told: Callable[[str], str], answering: Answering, pretender: Pretender) -> None:
    assert not np.frombuffer(pretender(Frame(ASK, 1)), np.uint8)[5:-4].any()
    assert "answer to golden image 0 is no answer of the right head" in told(answering(pretender))


def test_a_board_that_refuses(told: Callable[[str], str], answering: Answering, pretender: Pretender) -> None:
    assert "the device refused request 2" in told(answering(replace(pretender, refuses=(TEST,))))


def test_a_model_that_fills_the_flash(flash: Cli, tmp_path: Path) -> None:
    from importlib import resources

    small = (
        (resources.files("tinycerb.boards") / "qemu-m4.toml")
        .read_text()
        .replace("bytes = 0x400000", "bytes = 0x1000", 1)
    )
    (tmp_path / "small.toml").write_text(small)
    done = flash("--board", tmp_path / "small.toml")
    assert (done.returncode, done.stdout) == (4, "")
    assert "bytes of FLASH, of which 4,096 are there" in done.stderr
