"""`tinycerb flash` and `tinycerb boards`, against QEMU over a pseudo-terminal and against broken boards."""

import json
import re
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.firmware.random_models import random_model
from tinycerb.boards.board import board_names, load_board
from tinycerb.run.directory import RunDirectory

SEEDS = {"heads in the dense layer": 3, "heads behind it": 5, "one head": 2}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(random_model(SEEDS["heads in the dense layer"]))
    return path


def test_boards_are_listed(cli: Cli) -> None:
    rows = json.loads(cli("boards", "--json").stdout)["boards"]
    assert [row["name"] for row in rows] == board_names()
    assert {row["core"] for row in rows} >= {
        "cortex-m0",
        "cortex-m3",
        "cortex-m4",
        "cortex-m7",
        "cortex-m33",
        "cortex-m55",
    }
    assert "qemu-m55" in cli("boards").stdout


@pytest.mark.parametrize("board", [name for name in board_names() if load_board(name).machine])
def test_flash_boots_every_emulated_board_and_checks_it(cli: Cli, model: Path, board: str) -> None:
    done = cli("flash", model, "--board", board, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["golden_vectors"], facts["golden_vectors_wrong"]) == (2, 0)
    assert 0 < facts["flash_bytes"] <= facts["flash_bytes_available"]
    layers = sum(layer["instructions"] for layer in facts["layers"])
    assert layers + facts["rest_instructions"] == facts["inference_instructions"]
    assert 0 < facts["rest_instructions"] < 200
    assert facts["draw_instructions"] > 500


@pytest.mark.parametrize("selection", ["random", "coarse_keyed", "fixed"])
def test_every_selection_answers_with_an_allowed_head(cli: Cli, model: Path, selection: str) -> None:
    done = cli("flash", model, "--board", "qemu-m3", "--selection", selection)
    assert done.returncode == 0, done.stderr
    assert "golden       2 of 2 vectors right, every head" in done.stdout


def test_the_demo_kind_of_model_is_flashed(cli: Cli, smoke_run: RunDirectory) -> None:
    done = cli("flash", smoke_run.path, "--board", "qemu-m4", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"model: {smoke_run.model('cerberos')} (recommended; others: undefended)\n"
    facts = json.loads(done.stdout)
    # Deciding who answers must not cost what answering costs.
    assert facts["draw_instructions"] <= 0.02 * facts["inference_instructions"]
    assert facts["heads"] == 3


def test_the_secret_stays_out_of_what_is_kept(cli: Cli, model: Path, tmp_path: Path) -> None:
    key, kept = tmp_path / "device.key", tmp_path / "kept"
    secret = bytes(range(100, 116))
    key.write_text(secret.hex() + "\n")
    done = cli("flash", model, "--board", "qemu-m4", "--key", key, "--out", kept)
    assert done.returncode == 0, done.stderr
    assert {"model.c", "model.h", "golden.c", "firmware.elf"} <= {path.name for path in kept.iterdir()}
    contents = [path.read_bytes() for path in kept.rglob("*") if path.is_file()]
    assert contents
    assert not any(secret in content or secret.hex().encode() in content for content in contents)
    assert secret.hex() not in done.stdout + done.stderr


def test_dry_run_prints_the_command_and_the_fit(cli: Cli, model: Path) -> None:
    done = cli("flash", model, "--board", "qemu-m0", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert re.search(r"flash +[\d,]+ of 262,144 bytes", done.stdout)
    assert "qemu-system-arm -M microbit" in done.stdout
    assert "golden" not in done.stdout


def own_board(tmp_path: Path, flasher: str, options: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(
        'description = "a board of my own"\ncore = "cortex-m4"\nkernels = "dsp"\n'
        'flags = ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]\n'
        "flash = { origin = 0x0, bytes = 0x100000 }\nram = { origin = 0x20000000, bytes = 0x40000 }\n"
        'stack_bytes = 0x1000\nserial = { driver = "cmsdk", base = 0x40004000, baud = 115200 }\n'
        f'flasher = "{flasher}"\n\n[{flasher}]\n{options}\n'
    )
    return path


@pytest.mark.parametrize(
    ("flasher", "options", "more", "code", "message"),
    [
        ("command", 'run = "false {elf}"', ("--port", "/dev/null"), 4, "flashing failed with code 1"),
        ("command", 'run = "no-such-tool {elf}"', ("--port", "/dev/null"), 4, "no-such-tool is not installed"),
        ("command", 'run = "sleep 60"', ("--port", "/dev/null", "--time-limit", "1"), 4, "no end within 1 seconds"),
        ("command", 'run = "true"', ("--port", "/dev/no-such-port"), 4, "cannot open the serial port"),
        ("command", 'run = "true"', (), 2, "give the serial port"),
        ("command", "", (), 2, "give the serial port"),
        ("pyocd", "", ("--port", "/dev/null"), 2, "has no pyOCD target"),
    ],
)
def test_what_goes_wrong_with_a_board_is_told(
    cli: Cli, model: Path, tmp_path: Path, flasher: str, options: str, more: tuple[str, ...], code: int, message: str
) -> None:
    done = cli("flash", model, "--board", own_board(tmp_path, flasher, options), *more)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert done.stdout == ""


def test_pyocd_is_told_not_to_wait_for_a_probe(cli: Cli, model: Path, tmp_path: Path) -> None:
    board = own_board(tmp_path, "pyocd", 'target = "nrf52840"')
    done = cli("flash", model, "--board", board, "--dry-run")
    assert done.returncode == 0, done.stderr
    # A path in a temporary folder would be gone when it is read.
    assert re.search(r"would run +\S*pyocd load -W -t nrf52840 firmware.elf\n", done.stdout)
    assert "not kept; --out DIRECTORY keeps it" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--board", "qemu-m44"), "did you mean 'qemu-m4'"),
        (("--selection", "seeded"), "whoever resets the device chooses the head"),
        (("--selection", "mean"), "known: fixed, random, keyed, coarse_keyed"),
        (("--key", "/dev/null"), "/dev/null is a device; allowed: a regular file"),
    ],
)
def test_wrong_usage(cli: Cli, model: Path, arguments: tuple[str, ...], message: str) -> None:
    done = cli("flash", model, *arguments)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


def test_a_model_that_cannot_become_firmware_names_its_layer(cli: Cli, tmp_path: Path) -> None:
    from tests.firmware.flatbuffer_model import FlatModel

    flat = FlatModel()
    source = flat.tensor([1, 4], [0.1], [0])
    result = flat.operator("TANH", [source], flat.tensor([1, 4], [0.1], [0], name="squashed"))
    path = tmp_path / "tanh.tflite"
    path.write_bytes(flat.finish([source], result))
    done = cli("flash", path)
    assert done.returncode == 2
    assert "layer 0 (TANH, output 'squashed')" in done.stderr
    (tmp_path / "text.tflite").write_text("no model")
    assert "no .tflite file" in cli("flash", tmp_path / "text.tflite").stderr
