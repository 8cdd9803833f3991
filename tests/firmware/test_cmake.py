"""The CMake presets build the same firmware as `tinycerb flash`'s own build."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.kernels import cmsis_nn_folder
from tests.firmware.random_models import random_model
from tinycerb.boards.board import board_names, load_board
from tinycerb.boards.build import Image, build_image, firmware_folder
from tinycerb.boards.cmsis_nn import open_cmsis_nn
from tinycerb.boards.emulator import measure
from tinycerb.converters.model_file import parse_model


def test_presets_say_what_the_boards_say() -> None:
    presets = json.loads((firmware_folder() / "CMakePresets.json").read_text())["configurePresets"][1:]
    assert [preset["name"] for preset in presets] == [name for name in board_names() if name.startswith("qemu-")]
    for preset in presets:
        board, values = load_board(preset["name"]), preset["cacheVariables"]
        assert values["TINYCERB_CPU_FLAGS"].split() == ["-mthumb", *board.flags]
        assert values["TINYCERB_KERNELS"] == board.kernels
        for name, expected in (
            ("FLASH_ORIGIN", board.flash.origin), ("FLASH_BYTES", board.flash.bytes), ("RAM_ORIGIN", board.ram.origin),
            ("RAM_BYTES", board.ram.bytes), ("STACK_BYTES", board.stack_bytes),
        ):  # fmt: skip
            assert int(values[f"TINYCERB_{name}"], 16) == expected


@pytest.mark.parametrize(("name", "hook"), [("qemu-m3", False), ("qemu-m55", False), ("qemu-m4", True)])
def test_a_preset_builds_and_answers(tmp_path: Path, name: str, hook: bool) -> None:
    cmake = shutil.which("cmake")
    assert cmake is not None, "cmake is not installed; install it with: sudo apt-get install -y cmake"
    board, file = load_board(name), parse_model(random_model(2))
    root = cmsis_nn_folder() / "cmsis_nn"
    own = build_image(file, board, tmp_path / "own", cmsis_nn=open_cmsis_nn(root) if hook else None)
    more = [f"-DTINYCERB_CMSIS_NN_ROOT={root}"] if hook else []
    for command in (
        [cmake, "--preset", name, "-B", str(tmp_path / "build"), f"-DTINYCERB_MODEL_DIR={tmp_path / 'own'}", *more],
        [cmake, "--build", str(tmp_path / "build")],
    ):
        done = subprocess.run(command, cwd=firmware_folder(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    built = Image(tmp_path / "build" / "firmware.elf", own.model, own.flash_bytes, own.ram_bytes)
    images = np.random.default_rng(0).integers(-128, 128, (5, *own.model.image.shape[1:]), dtype=np.int8)
    first, second = measure(own, board, images), measure(built, board, images)
    assert (first.logits == second.logits).all()
    assert (first.inference_instructions == second.inference_instructions).all()
