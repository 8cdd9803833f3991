"""Inputs of any size through the real commands; what a board cannot hold is said before anything is built."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.firmware.flatbuffer_model import FlatModel
from tests.firmware.networks import few_large_steps
from tinycerb.boards.board import Memory, load_board
from tinycerb.boards.firmware import build_firmware
from tinycerb.boards.fit import check_fit
from tinycerb.boards.lowered import lowered
from tinycerb.converters.model_file import parse_model
from tinycerb.errors import HardwareError, UsageError


@pytest.mark.parametrize(
    ("shape", "board"),
    [((160, 160, 3), "qemu-m4"), ((120, 160, 3), "qemu-m3"), ((224, 224, 3), "qemu-m55"), ((40, 40, 3), "unicorn-m4")],
    ids=lambda value: value if isinstance(value, str) else "x".join(map(str, value)),
)
def test_large_inputs_are_flashed_and_checked(
    cli: Cli, tmp_path: Path, shape: tuple[int, int, int], board: str
) -> None:
    """More than a frame holds, more than its length could say, and MobileNet's usual size."""
    path = tmp_path / "large.tflite"
    path.write_bytes(few_large_steps(shape))
    done = cli("flash", path, "--board", board, "--time-limit", 200, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["golden_vectors"], facts["golden_vectors_wrong"]) == (2, 0)
    size = shape[0] * shape[1] * shape[2]
    # The image stands in the arena alone: pieces take little beside it.
    assert facts["arena_bytes"] <= facts["ram_bytes"] <= facts["arena_bytes"] + 4096
    assert facts["ram_bytes"] < 1.4 * size


def test_memory_is_asked_for_before_anything_is_built(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.tflite"
    path.write_bytes(few_large_steps((224, 224, 3)))
    # No compiler, no reference kernels: they would be missed first.
    monkeypatch.setenv("PATH", str(tmp_path))
    done = cli("flash", path, "--board", "qemu-m0")
    assert (done.returncode, done.stdout) == (4, "")
    told = " ".join(done.stderr.split())
    assert "does not fit qemu-m0: it needs at least 301,239 bytes of FLASH" in told
    assert "of which 262,144 are there and at least 154,003 bytes of RAM" in told
    assert "bytes of RAM, of which 16,384 are there; prune it further or take a larger board" in told
    assert "Traceback" not in told


def test_the_bound_is_below_what_the_linker_finds(tmp_path: Path) -> None:
    """What the check lets through and the linker refuses is refused in the same words, with the exact number."""
    file, board = parse_model(few_large_steps((40, 40, 3))), load_board("qemu-m4")
    built = build_firmware(file, board, tmp_path / "build", "fixed").image
    model = lowered(file, board.kernels)
    whole = built.ram_bytes + board.stack_bytes
    tight = replace(board, ram=Memory(board.ram.origin, whole - 8))
    check_fit(model, tight, 2)
    with pytest.raises(HardwareError, match=rf"it needs {whole:,} bytes of RAM, of which {whole - 8:,} are there"):
        build_firmware(file, tight, tmp_path / "tight", "fixed")
    # All of it but some hundred bytes of the C library and the application is counted before.
    with pytest.raises(HardwareError, match=r"it needs at least .* bytes of RAM"):
        check_fit(model, replace(board, ram=Memory(board.ram.origin, whole - 1024)), 2)


def test_an_output_that_no_frame_holds_is_refused() -> None:
    flat = FlatModel()
    source = flat.tensor([1, 150, 150, 3], [0.1], [0], name="image")
    result = flat.tensor([1, 150, 150, 3], [0.1], [0])
    flat.operator("RELU", [source], result)
    board = load_board("qemu-m4")
    model = lowered(parse_model(flat.finish([source], result)), board.kernels)
    with pytest.raises(UsageError, match=r"output has 67,500 bytes; .* answers of at most 65,535"):
        check_fit(model, board, 2)
