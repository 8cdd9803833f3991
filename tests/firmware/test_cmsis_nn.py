"""The same firmware with CMSIS-NN's kernels: the same bytes, and TinyCerb's own kernels beside them, end to end."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.kernels import cmsis_nn_folder
from tests.firmware.conftest import VICTIMS, Case, Cases
from tests.firmware.networks import demo_net, patches
from tests.firmware.random_models import random_model
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image, compiler_flags
from tinycerb.boards.cmsis_nn import CmsisNn, open_cmsis_nn
from tinycerb.boards.emulator import measure
from tinycerb.converters.model_file import parse_model
from tinycerb.errors import UsageError

# At most so many times the instructions of the same firmware with CMSIS-NN, on the demo's network.
BARS = {"qemu-m4": 0.85, "qemu-m55": 0.6}


@pytest.fixture(scope="session")
def builds(tmp_path_factory) -> Path:
    """One folder for all images: libraries are compiled once per core."""
    return tmp_path_factory.mktemp("cmsis-nn")


@pytest.fixture(scope="session")
def tree() -> CmsisNn:
    """CMSIS-NN 4.0.0's part inside the package bakenn."""
    return open_cmsis_nn(cmsis_nn_folder() / "cmsis_nn")


@pytest.mark.parametrize("board", BARS)
@pytest.mark.parametrize("victim", VICTIMS)
def test_smoke_models_are_exact(victims: Mapping[str, Case], builds: Path, tree: CmsisNn, board: str, victim) -> None:
    case = victims[victim]
    image = build_image(case.file, load_board(board), builds / f"{victim}-{board}", cmsis_nn=tree)
    found = measure(image, load_board(board), case.images)
    assert (found.logits != case.expected).sum() == 0
    assert any(layer.kernel.startswith("tc_cmsis_nn_conv") for layer in image.model.layers)


def test_random_models_are_exact(cases: Cases, builds: Path, tree: CmsisNn) -> None:
    kernels = set()
    for seed, case in enumerate(cases({f"random-{seed}": random_model(seed) for seed in range(10)}, 10).values()):
        board = ("qemu-m3", *BARS)[seed % 3]
        image = build_image(case.file, load_board(board), builds / f"random-{seed}", cmsis_nn=tree)
        kernels |= {layer.kernel for layer in image.model.layers}
        found = measure(image, load_board(board), case.images)
        assert (found.logits != case.expected).sum() == 0, (seed, board)
    for kernel in ("conv_2d", "depthwise_conv_2d", "fully_connected", "average_pool_2d", "max_pool_2d"):
        assert f"tc_cmsis_nn_{kernel}" in kernels
    assert not kernels & {"tc_conv_2d", "tc_depthwise_conv_2d", "tc_fully_connected"}


@pytest.mark.parametrize("board", BARS)
def test_own_kernels_need_less_end_to_end(cases: Cases, builds: Path, tree: CmsisNn, board: str) -> None:
    case = cases({"demo_net": demo_net()}, 3, patches)["demo_net"]
    target = load_board(board)
    own, other = (
        measure(build_image(case.file, target, builds / f"demo-{board}-{hook is None}", cmsis_nn=hook), target, images)
        for hook, images in ((None, case.images), (tree, case.images))
    )
    assert (own.logits != case.expected).sum() == (other.logits != case.expected).sum() == 0
    assert len(np.unique(case.expected)) > 50
    assert own.inference_instructions.max() <= BARS[board] * other.inference_instructions.max()


def test_what_is_no_tree_and_what_is_not_made_for_one(builds: Path, tree: CmsisNn, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no CMSIS-NN tree: it lacks Include/arm_nnfunctions\.h"):
        open_cmsis_nn(tmp_path)
    board = load_board("qemu-m4")
    build_image(parse_model(random_model(0)), board, builds / "unhooked", cmsis_nn=tree)
    command = ["arm-none-eabi-gcc", *compiler_flags(board, "-Os"), "-c", str(builds / "unhooked" / "model.c")]
    done = subprocess.run([*command, "-o", str(tmp_path / "x.o")], capture_output=True, text=True, check=False)
    assert "this model.c is for CMSIS-NN's kernels" in done.stderr
