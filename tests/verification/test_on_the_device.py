"""A device that is asked over its line: an emulated board that keeps running, its limit, what ownership adds to it."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.conftest import Cli
from tinycerb.boards.board import load_board
from tinycerb.boards.device import QueryLimitReached
from tinycerb.boards.firmware import build_firmware
from tinycerb.boards.session import flash_and_check
from tinycerb.cli import app
from tinycerb.converters.metadata import embed_metadata, read_metadata
from tinycerb.converters.model_file import parse_model, read_model_file
from tinycerb.ownership.owner import open_owner
from tinycerb.ownership.questions import draw_questions
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.verification.suspects.serial_device import SerialDevice, duration

FORTRESS = Path(__file__).parents[1] / "assets" / "fortress.tflite"


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An emulated board that goes on after it was flashed, and its port."""
    command = [sys.executable, "-m", "tinycerb", "flash", str(FORTRESS), "--serve", "--rate-limit", "60/600", "--json"]
    board = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Ignored by what a shell has started in the background, tests among it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert board.stdout is not None
    first = board.stdout.readline()
    assert first, board.communicate()[1]
    yield board, json.loads(first)["port"]
    if board.poll() is None:
        board.kill()
    board.communicate()


def asked(port: str, count: int) -> dict:
    """A verification over the line; without a teacher it ends as inconclusive, whatever was answered."""
    words = ["verify", "--port", port, "--owner", "public", "--model", str(FORTRESS), "-n", str(count), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1, done.output
    return json.loads(done.stdout)


def test_a_served_board_is_asked_again_and_again_until_it_is_ended(served: tuple[subprocess.Popen[str], str]) -> None:
    board, port = served
    facts = asked(port, 20)
    assert (facts["agreed"], facts["asked"], facts["is_copy"]) == (20, 20, True)
    assert facts["p_by_population"] == pytest.approx(0.2**20, rel=1e-9)
    assert facts["suspect"] == f"the device at {port}"
    assert asked(port, 15)["agreed"] == 15
    os.kill(board.pid, signal.SIGINT)
    board.wait(timeout=30)
    assert board.returncode == 130
    assert not Path(port).exists()


def test_only_what_runs_in_an_emulator_is_served(cli: Cli) -> None:
    for words, message in (
        (("--serve", "--dry-run"), "--serve keeps an emulated board running, and nothing runs with --dry-run"),
        (("--serve", "--board", "nucleo-f412zg"), "nucleo-f412zg is no emulator and runs on by itself; leave it out"),
    ):
        done = cli("flash", FORTRESS, *words)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr


class Limited:
    """A device that answers so many questions in a row, and then one every 40 seconds of its clock."""

    def __init__(self, burst: int) -> None:
        self.left = burst
        self.clock = 0.0

    def ask(self, image: np.ndarray, classes: int) -> np.ndarray:
        if self.left == 0:
            raise QueryLimitReached(40)
        self.left -= 1
        return np.eye(classes, dtype=np.uint8)[int(image.max()) % classes]

    def sleep(self, seconds: float) -> None:
        self.clock += seconds
        self.left += int(seconds // 40)


def test_a_limit_is_waited_for_and_the_time_is_said_first() -> None:
    device, told = Limited(6), []
    questions = draw_questions(open_owner("public").key, 0, 16, ("strokes", "shades"), (28, 28, 1))
    artifact = open_artifact(FORTRESS)
    suspect = SerialDevice("the device at X", device, artifact, told.append, "", device.sleep)  # type: ignore[arg-type]
    labels = suspect.labels(questions)
    assert labels.tolist() == [int(image.max()) % 10 for image in artifact.quantize(questions.images)]
    assert device.clock == 10 * 40
    assert told == [
        "the device at X limits questions: it answers again in 40 seconds; the 10 that are left take up to 7 minutes"
    ]


def test_times_are_told_as_people_say_them() -> None:
    assert [duration(seconds) for seconds in (90, 600, 7200, 2 * 86_400)] == [
        "90 seconds", "10 minutes", "2 hours", "2 days",
    ]  # fmt: skip


def test_ownership_adds_no_byte_and_no_instruction(tmp_path: Path) -> None:
    """A model with an owner makes the same image, but for the hash of its file, and executes the same."""
    plain = read_model_file(FORTRESS)
    card = read_metadata(plain) or {}
    owned = parse_model(embed_metadata(plain.content, {**card, "owner_key": "f" * 64}))
    assert owned.content != plain.content
    board = load_board("qemu-m4")
    sizes, counts = [], []
    for name, file in (("plain", plain), ("owned", owned)):
        firmware = build_firmware(file, board, tmp_path / name, "keyed")
        sizes.append((firmware.image.flash_bytes, firmware.image.ram_bytes))
        session = flash_and_check(firmware, board, secrets.token_bytes(16), "keyed", tmp_path, None, 60)
        counts.append(session.counts)
    assert sizes[0] == sizes[1]
    assert counts[0] == counts[1]
    root = Path(__file__).parents[2] / "firmware_stub"
    sources = [path.read_text() for path in root.rglob("*.[chS]")]
    assert len(sources) > 40
    assert not [text for text in sources if "owner" in text.lower()]
