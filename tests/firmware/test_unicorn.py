"""Images in Unicorn: the bytes of TFLite's reference kernels, and as many instructions as in QEMU."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.conftest import Cases
from tests.firmware.random_models import random_model
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image
from tinycerb.boards.emulator import measure, measure_in_unicorn

CORES = ["m0", "m3", "m4", "m33"]


@pytest.mark.parametrize("core", CORES)
def test_bytes_are_the_references_and_counts_are_qemus(cases: Cases, tmp_path: Path, core: str) -> None:
    emulated = load_board(f"qemu-{core}")
    # The one without peripherals of its own, where QEMU's machine has its memory.
    board = replace(
        load_board(f"unicorn-{core}"), flash=emulated.flash, ram=emulated.ram, stack_bytes=emulated.stack_bytes
    )
    models = {f"random-{seed}": random_model(seed) for seed in (3, 4)}
    for name, case in cases(models, 5).items():
        image = build_image(case.file, board, tmp_path / name)
        found, qemu = measure_in_unicorn(image, board, case.images), measure(image, emulated, case.images)
        assert (found.logits != case.expected).sum() == 0, name
        assert (found.codes != qemu.codes).sum() == 0, name
        assert found.hash == image.model.hash
        assert found.stack_bytes == qemu.stack_bytes
        # SysTick ticks of QEMU's machines are not whole instructions.
        assert np.abs(found.inference_instructions - qemu.inference_instructions).max() <= 1
        # A layer is the difference of two readings.
        assert np.abs(np.subtract(found.layer_instructions, qemu.layer_instructions)).max() <= 2
        assert found.inference_instructions.min() > 1000
