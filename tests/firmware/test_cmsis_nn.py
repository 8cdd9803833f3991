"""The same firmware with CMSIS-NN's kernels: the same bytes, and TinyCerb's own kernels beside them, end to end."""

import json
import shutil
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
from tinycerb.boards.build import build_image, compiler_flags, firmware_folder
from tinycerb.boards.cmsis_nn import CmsisNn, open_cmsis_nn
from tinycerb.boards.emulator import measure
from tinycerb.converters.c_model.host import write_model
from tinycerb.converters.c_model.model import lower_model
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


# What its versions since 4.0.0 have changed, in our words: dense sums on MVE begin with the caller's.
NEWER_DENSE = """#include "arm_nnfunctions.h"
int32_t arm_fully_connected_s8_get_buffer_size(const cmsis_nn_dims *filter_dims) {
    return filter_dims->c * (int32_t)sizeof(int32_t);
}
arm_cmsis_nn_status arm_fully_connected_s8(const cmsis_nn_context *ctx, const cmsis_nn_fc_params *how,
    const cmsis_nn_per_tensor_quant_params *scale, const cmsis_nn_dims *input_dims, const int8_t *input,
    const cmsis_nn_dims *filter_dims, const int8_t *kernel, const cmsis_nn_dims *bias_dims, const int32_t *bias,
    const cmsis_nn_dims *output_dims, int8_t *output) {
    const int32_t *sums = ctx->buf;
    (void)bias, (void)bias_dims, (void)input_dims;
    if (!sums) return ARM_CMSIS_NN_ARG_ERROR;
    for (int32_t row = 0; row < output_dims->c; row++) {
        int64_t sum = sums[row];
        for (int32_t k = 0; k < filter_dims->n; k++) sum += input[k] * kernel[row * filter_dims->n + k];
        const int32_t left = scale->shift > 0 ? scale->shift : 0, right = left - scale->shift;
        const int32_t high = (int32_t)(((sum << left) * scale->multiplier + (1 << 30)) >> 31);
        const int32_t mask = (int32_t)((1u << right) - 1), above = (high & mask) > (mask >> 1) + (high < 0);
        int32_t value = (high >> right) + above + how->output_offset;
        value = value < how->activation.min ? how->activation.min : value;
        output[row] = (int8_t)(value > how->activation.max ? how->activation.max : value);
    }
    return ARM_CMSIS_NN_SUCCESS;
}
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory) -> Path:
    """The tree as the newest one looks: float kernels, CMSIS-Core in a folder beside it, sums of dense layers."""
    parent = tmp_path_factory.mktemp("newer")
    root, core = parent / "CMSIS-NN", parent / "CMSIS_6" / "CMSIS" / "Core" / "Include"
    shutil.copytree(cmsis_nn_folder() / "cmsis_nn", root)
    for kind in ("f16", "f32", "flt"):
        (root / "Source" / f"arm_nn_something_{kind}.c").write_text("#error float kernels want a definition\n")
    (root / "Source/FullyConnectedFunctions/arm_fully_connected_s8.c").write_text(NEWER_DENSE)
    core.parent.mkdir(parents=True)
    shutil.copytree(cmsis_nn_folder() / "cmsis_core" / "Include", core)
    return root


def test_a_newer_tree_is_exact(cases: Cases, builds: Path, newer: Path) -> None:
    tree = open_cmsis_nn(newer)
    assert tree.includes[1] == newer.parent / "CMSIS_6/CMSIS/Core/Include"
    assert not [path for path in tree.sources if path.stem.endswith(("_f16", "_f32", "_flt"))]
    # Heads by row, a zero point of the weights, several scales; windows of odd depths.
    seeds, seen = (0, 4, 23), set()
    for seed, case in zip(
        seeds, cases({f"newer-{seed}": random_model(seed) for seed in seeds}, 10).values(), strict=True
    ):
        image = build_image(case.file, load_board("qemu-m55"), builds / f"newer-{seed}", cmsis_nn=tree)
        found = measure(image, load_board("qemu-m55"), case.images)
        assert (found.logits != case.expected).sum() == 0, seed
        for layer in image.model.layers:
            if layer.kernel == "tc_cmsis_nn_fully_connected":
                seen.add((layer.parameters["by_head"], layer.parameters["offset_sums"] != 0))
    assert {(0, True), (1, True)} <= seen


def test_cmake_takes_the_same_of_a_newer_tree(newer: Path, tmp_path: Path) -> None:
    write_model(lower_model(parse_model(random_model(4)), "mve+cmsis-nn"), tmp_path / "model")
    options = [f"-DTINYCERB_CMSIS_NN_ROOT={newer}", f"-DTINYCERB_MODEL_DIR={tmp_path / 'model'}"]
    command = ["cmake", "--preset", "qemu-m55", "-B", tmp_path, *options, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    done = subprocess.run(command, cwd=firmware_folder(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    compiled = json.loads((tmp_path / "compile_commands.json").read_text())
    theirs = {Path(entry["file"]) for entry in compiled if Path(entry["file"]).is_relative_to(newer)}
    assert theirs == set(open_cmsis_nn(newer).sources)
    core = (newer.parent / "CMSIS_6/CMSIS/Core/Include").resolve()
    command_lines = [entry["command"].replace(f"{newer}/../", f"{newer.parent}/") for entry in compiled]
    assert sum(f"-isystem {core}" in line for line in command_lines) > len(theirs)


def test_a_tree_without_the_headers_that_it_asks_for(newer: Path, tmp_path: Path) -> None:
    shutil.copytree(newer, tmp_path / "alone" / "CMSIS-NN")
    with pytest.raises(UsageError, match=r"needs CMSIS-Core's cmsis_compiler\.h.*git clone .*alone/CMSIS_6"):
        open_cmsis_nn(tmp_path / "alone" / "CMSIS-NN")


def test_what_is_no_tree_and_what_is_not_made_for_one(builds: Path, tree: CmsisNn, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no CMSIS-NN tree: it lacks Include/arm_nnfunctions\.h"):
        open_cmsis_nn(tmp_path)
    board = load_board("qemu-m4")
    build_image(parse_model(random_model(0)), board, builds / "unhooked", cmsis_nn=tree)
    command = ["arm-none-eabi-gcc", *compiler_flags(board, "-Os"), "-c", str(builds / "unhooked" / "model.c")]
    done = subprocess.run([*command, "-o", str(tmp_path / "x.o")], capture_output=True, text=True, check=False)
    assert "this model.c is for CMSIS-NN's kernels" in done.stderr
