"""`tinycerb bench MODEL --board`: counts per layer, and the cycle counter of real cores as far as it can be tested."""

import dataclasses
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.firmware.random_models import random_model
from tinycerb.boards.board import load_board
from tinycerb.boards.firmware import build_firmware, with_secret
from tinycerb.boards.flashers import FLASHERS
from tinycerb.boards.profile import read_profile
from tinycerb.converters.model_file import parse_model
from tinycerb.errors import HardwareError, UsageError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(random_model(3))
    return path


def test_an_emulated_board_is_booted_and_counts_instructions(cli: Cli, model: Path) -> None:
    done = cli("bench", model, "--board", "qemu-m4", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    counts = [layer["instructions"] for layer in facts["layers"]]
    assert sum(counts) + facts["rest_instructions"] == facts["inference_instructions"]
    assert 0 < facts["rest_instructions"] < 200
    shown = cli("bench", model, "--board", "qemu-m4").stdout
    # Instructions, estimated cycles; no time without a clock.
    assert re.search(r"\ninference +[\d,]+ +[\d,]+ ", shown)
    assert re.search(r"\n  rest: calls, copy of the output +\d+ +\d+ ", shown)
    assert not re.search(r"\bms\b|second", shown)


@pytest.mark.parametrize("ticks", ["systick", "dwt"])
def test_a_board_that_runs_the_model_is_asked(model: Path, tmp_path: Path, ticks: str) -> None:
    """An emulator stands in for the board; it has SysTick, but no cycle counter, which then stands still."""
    emulated = load_board("qemu-m4")
    real = dataclasses.replace(emulated, machine="", flasher="command", ticks=ticks)
    file = parse_model(model.read_bytes())
    firmware = build_firmware(file, real, tmp_path / "build", "keyed")
    with (
        with_secret(firmware.image, bytes(16), tmp_path) as image,
        FLASHERS["qemu"].run(emulated, image.elf, None, 30) as port,
    ):
        if ticks == "dwt":
            with pytest.raises(HardwareError, match="clock stands still") as caught:
                read_profile(file, real, port, 30)
            assert caught.value.exit_code == 4
            return
        profile = read_profile(file, real, port, 30)
        assert profile.unit == "cycles"
        assert 0 <= profile.counts.rest < 200
        with pytest.raises(HardwareError, match=r"the board runs another model.*tinycerb flash"):
            read_profile(parse_model(random_model(2)), real, port, 30)


@pytest.mark.parametrize("name", ["qemu-m3", "qemu-m55"])
def test_the_cycle_counter_is_the_debug_units(tmp_path: Path, name: str) -> None:
    board = dataclasses.replace(load_board(name), ticks="dwt")
    built = build_firmware(parse_model(random_model(3)), board, tmp_path / "build", "keyed").image.elf
    code = subprocess.run(["arm-none-eabi-objdump", "-d", built], capture_output=True, text=True, check=True).stdout
    start = code.split("<target_ticks_start>:")[1].split("\n\n")[0]
    assert "e0001" in start
    assert "e000e010" not in start


def test_what_is_missing_is_told(model: Path, tmp_path: Path) -> None:
    real = dataclasses.replace(load_board("qemu-m4"), machine="", flasher="command")
    with pytest.raises(UsageError, match="--port /dev/ttyACM0"):
        read_profile(parse_model(model.read_bytes()), real, None, 30)
    with pytest.raises(HardwareError, match=r"cannot open the serial port /dev/no-such-port.*--port"):
        read_profile(parse_model(model.read_bytes()), real, "/dev/no-such-port", 30)
    own = tmp_path / "own.toml"
    text = (Path(__file__).parents[2] / "tinycerb" / "boards" / "qemu-m4.toml").read_text()
    own.write_text('ticks = "dtw"\n' + text)
    with pytest.raises(UsageError, match=r"unknown clock 'dtw' \(did you mean 'dwt'\?\)"):
        load_board(str(own))
