"""Images for every core, run in QEMU: the bytes of TFLite's reference kernels, the same instructions for any input."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.conftest import Case, Cases
from tests.firmware.random_models import random_model
from tinycerb.boards.board import Board, board_names, load_board
from tinycerb.boards.build import build_image
from tinycerb.boards.emulator import Measurement, measure
from tinycerb.converters.model_file import ModelFile, parse_model
from tinycerb.errors import HardwareError, UsageError

BOARDS = [name for name in board_names() if load_board(name).machine]


@pytest.fixture(scope="session")
def builds(tmp_path_factory) -> Path:
    """One folder for all images: the runtime is compiled once per core."""
    return tmp_path_factory.mktemp("images")


def run(file: ModelFile, board: Board, images: np.ndarray, folder: Path, shift: int = 6) -> Measurement:
    return measure(build_image(file, board, folder), board, images, shift)


@pytest.mark.parametrize("board", BOARDS)
def test_smoke_model_is_exact_for_every_head(victims: Mapping[str, Case], builds: Path, board: str) -> None:
    case = victims["cerberos"]
    found = run(case.file, load_board(board), case.images, builds / f"smoke-{board}")
    assert (found.logits != case.expected).sum() == 0
    assert len(np.unique(case.expected)) > 20
    assert 0 < found.stack_bytes <= 512


@pytest.mark.parametrize("board", ["qemu-m0", "qemu-m3", "qemu-m4", "qemu-m55"])
def test_random_models_are_exact(cases: Cases, builds: Path, board: str) -> None:
    models = {f"random-{seed}": random_model(seed) for seed in range(10)}
    for name, case in cases(models, 20).items():
        found = run(case.file, load_board(board), case.images, builds / f"{name}-{board}")
        assert (found.logits != case.expected).sum() == 0, name


@pytest.mark.parametrize("board", ["qemu-m3", "qemu-m4", "qemu-m55"])
def test_instructions_depend_on_neither_head_nor_input(victims: Mapping[str, Case], builds: Path, board: str) -> None:
    """From image to answer, over all heads and 1,000 inputs; single instructions would be seen."""
    file = victims["cerberos"].file
    images = np.random.default_rng(5).integers(-128, 128, (1000, *file.inputs["image"].shape[1:]), dtype=np.int8)
    images[0], images[1], images[2:100] = -128, 127, images[2:100] // 16
    found = run(file, load_board(board), images, builds / f"spread-{board}", shift=7)
    assert found.inference_instructions.shape == (1000, 3)
    assert np.ptp(found.inference_instructions) == 0
    assert np.ptp(found.answer_instructions) == 0
    assert found.answer_instructions.min() > 1000
    assert len(np.unique(found.logits)) > 20


def test_counts_are_repeatable(victims: Mapping[str, Case], builds: Path) -> None:
    case, board = victims["cerberos"], load_board("qemu-m4")
    image = build_image(case.file, board, builds / "repeat")
    first, second = (measure(image, board, case.images[:2]) for _ in range(2))
    assert (first.inference_instructions == second.inference_instructions).all()
    assert first.layer_instructions == second.layer_instructions
    whole = int(first.inference_instructions[0, 0])
    assert 0 < whole - sum(first.layer_instructions) < 200
    assert first.hash == image.model.hash


def test_heads_share_everything_but_their_rows(builds: Path) -> None:
    """Three heads against one on the same backbone."""
    board = load_board("qemu-m4")
    images = [build_image(_dense_model(heads), board, builds / f"heads-{heads}") for heads in (1, 3)]
    counts = [measure(image, board, np.zeros((1, 1, 1, 32), np.int8)) for image in images]
    one, three = (int(count.inference_instructions.max()) for count in counts)
    # The backbone here is nothing but the head's own layer, so every extra instruction shows.
    assert three <= one * 1.01 + 20
    assert images[1].flash_bytes - images[0].flash_bytes <= 2 * 10 * (32 + 16)
    assert images[1].ram_bytes == images[0].ram_bytes


def _dense_model(heads: int) -> ModelFile:
    from tests.firmware.flatbuffer_model import FlatModel

    flat, rng = FlatModel(), np.random.default_rng(1)
    source, head = flat.tensor([1, 32], [0.05], [3]), flat.tensor([1], name="head")
    weights = flat.tensor([heads * 10, 32], [0.01], [0], rng.integers(-127, 128, (heads * 10, 32)).astype(np.int8))
    bias = flat.tensor([heads * 10], [0.0005], [0], rng.integers(-999, 999, heads * 10).astype(np.int32))
    wide = flat.tensor([1, heads * 10], [0.1], [0])
    flat.operator("FULLY_CONNECTED", [source, weights, bias], wide, "FullyConnectedOptions")
    shape = flat.tensor([2], values=np.array([heads, 10], np.int32))
    rows, result = flat.tensor([heads, 10], [0.1], [0]), flat.tensor([1, 10], [0.1], [0])
    flat.operator("RESHAPE", [wide, shape], rows, "ReshapeOptions")
    flat.operator("GATHER", [rows, head], result, "GatherOptions", {"Axis": 0})
    return parse_model(flat.finish([source, head], result))


def test_a_model_that_does_not_fit_is_refused(victims: Mapping[str, Case], tmp_path: Path) -> None:
    import dataclasses

    board = load_board("qemu-m0")
    small = dataclasses.replace(board, flash=dataclasses.replace(board.flash, bytes=0x2000))
    with pytest.raises(HardwareError, match=r"does not fit qemu-m0: it needs [\d,]+ bytes of FLASH, of which 8,192"):
        build_image(victims["cerberos"].file, small, tmp_path / "a")
    tight = dataclasses.replace(board, ram=dataclasses.replace(board.ram, bytes=0x1000))
    with pytest.raises(HardwareError, match=r"needs [\d,]+ bytes of RAM, of which 4,096 are there"):
        build_image(victims["cerberos"].file, tight, tmp_path / "b")


def test_unknown_board_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'qemu-m4'.*known: .*qemu-m0"):
        load_board("qemu-m5x4")
