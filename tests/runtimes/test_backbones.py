"""Every backbone in every runtime: the same bytes where that is promised, and within a measured bound elsewhere.

Cores of microcontrollers are runtimes too; a sample of `make firmware-matrix` is taken here.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.firmware_matrix import BASELINE, measured_cost
from tinycerb.boards.board import load_board
from tinycerb.converters.arena_plan import plan_arena
from tinycerb.converters.contract import contract_violations
from tinycerb.converters.model_file import read_model_file
from tinycerb.errors import HardwareError
from tinycerb.keras_models import BACKBONES
from tinycerb.runtimes.engines import EngineName
from tinycerb.runtimes.isolated import ModelRun, head_inputs, run_model

# Largest difference of int8 logits to tflite-runtime's reference kernels, in steps, as measured. The optimised kernels
# add in floating point; an untrained MobileNet, whose channels hardly vary, makes much of that (a trained one little:
# docs/conversion.md).
BOUNDS = {
    ("tflite-runtime", "optimised"): {"": 3, "mobilenet_v2": 60},
    ("ai-edge-litert", "reference"): {"": 1},
    ("ai-edge-litert", "optimised"): {"": 7, "mobilenet_v1": 52, "mobilenet_v2": 66},
}


@pytest.fixture(scope="module")
def reference(converted) -> ModelRun:
    return run_model(converted.folder / "model.tflite", head_inputs(converted.codes, 3), "tflite-runtime")


def test_tflite_micro_gives_the_same_bytes(converted, reference) -> None:
    other = run_model(converted.folder / "model.tflite", head_inputs(converted.codes, 3), "tflite-micro")
    assert reference.engine == EngineName("tflite-runtime", "2.14.0", "reference")
    assert other.engine.runtime == "tflite-micro"
    assert reference.outputs["logits"].shape == (300, 1, 10)
    assert int((other.outputs["logits"] != reference.outputs["logits"]).sum()) == 0
    # An answer that never changes would agree with anything.
    assert len(np.unique(reference.outputs["logits"])) > 8
    rows = reference.outputs["logits"].reshape(100, 3, 10)
    assert (rows[:, 0] != rows[:, 1]).any()
    assert (rows[0] != rows[1:]).any()


@pytest.mark.parametrize(("runtime", "kernels"), BOUNDS)
def test_other_kernels_stay_within_their_bound(converted, reference, runtime: str, kernels: str) -> None:
    other = run_model(converted.folder / "model.tflite", head_inputs(converted.codes, 3), runtime, kernels)
    assert (other.engine.runtime, other.engine.kernels) == (runtime, kernels)
    bound = BOUNDS[runtime, kernels].get(converted.name, BOUNDS[runtime, kernels][""])
    assert np.abs(other.outputs["logits"].astype(int) - reference.outputs["logits"]).max() <= bound


def test_every_target_reads_it(converted) -> None:
    assert contract_violations(read_model_file(converted.folder / "model.tflite")) == []


def test_the_planned_arena_is_the_measured_one(converted) -> None:
    plan = plan_arena(read_model_file(converted.folder / "model.tflite"))
    measured = converted.card.arena
    assert plan is not None
    assert measured.basis == "measured"
    assert plan.nonpersistent_bytes == measured.nonpersistent_bytes
    # The interpreter's own part is an estimate for a 32-bit core; the host's pointers are twice as wide.
    assert 0.5 <= plan.persistent_bytes / measured.persistent_bytes <= 1.1


def test_cores_give_the_same_bytes_at_the_committed_cost(converted, reference, tmp_path: Path) -> None:
    """`make firmware-matrix ARGS=--write` renews the baseline."""
    name = converted.card.victim
    # Every core meets a backbone, the M4 all of them.
    others = ("qemu-m0", "qemu-m3", "qemu-m7", "qemu-m33", "qemu-m55")
    file = read_model_file(converted.folder / "model.tflite")
    expected = reference.outputs["logits"].reshape(100, 3, 10)[:10]
    baseline = json.loads(BASELINE.read_text())["small"][name]
    for board in ("qemu-m4", others[BACKBONES.index(name) % len(others)]):
        if board not in baseline:
            with pytest.raises(HardwareError, match=rf"the model does not fit {board}: it needs [\d,]+ bytes of RAM"):
                measured_cost(file, load_board(board), converted.codes[:1], tmp_path / board)
            continue
        answers, cost = measured_cost(file, load_board(board), converted.codes[:10], tmp_path / board)
        assert int((answers != expected).sum()) == 0, board
        for key, value in asdict(cost).items():
            assert value == pytest.approx(baseline[board][key], rel=0.01), (board, key)
        assert cost.stack_bytes <= 512
        # Entries of the layer tables take up to 128 bytes, which only MobileNetV2's 66 layers make felt.
        assert cost.code_bytes <= 16 * 1024 + 128 * max(0, len(file.operators) - 32)
        assert cost.arena_bytes <= converted.card.arena.nonpersistent_bytes
