"""What a defence costs, every victim of a run on equal terms."""

import csv
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, cast

import numpy as np

from tinycerb.answers.selection import HEAD_SELECTIONS, simulated_device
from tinycerb.boards.board import load_board
from tinycerb.boards.cycle_model.estimate import CycleEstimate, estimate_cycles
from tinycerb.boards.cycle_model.facts import cycle_facts, no_estimate
from tinycerb.boards.cycle_model.work import multiply_accumulates
from tinycerb.boards.firmware import build_firmware
from tinycerb.boards.session import flash_and_check
from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.model_file import ModelFile
from tinycerb.datasets import load_dataset
from tinycerb.datasets.query_pools import query_pool
from tinycerb.errors import UsageError
from tinycerb.events import OnProgress, Progress
from tinycerb.file_names import EPOCH_TIMES
from tinycerb.reports.metrics import DeviceCost, EstimatedCycles
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.seal.files import is_made, read_json, read_text
from tinycerb.training.twin_victims import dense_twin, trained_twin

BOARD = "qemu-m4"
_TIMED_QUERIES, _ROUNDS = 20, 10


class VictimCosts(TypedDict):
    """What one victim costs beside its baseline."""

    training_seconds: float
    training_factor: float
    accuracy_expected: float
    flip_rate: float
    calibration_error: float
    l1_benign_mean: float
    l1_benign_max: float
    l1_queries_mean: float
    l1_queries_max: float
    host_query_us_p50: float
    host_response_us_p50: float
    device: DeviceCost


class Costs(TypedDict):
    """The content of `costs.json`."""

    schema_version: int
    baseline: str
    board: str
    pool: str
    victims: dict[str, VictimCosts]


def measure_costs(run: RunDirectory, pool: str, images: int, on_progress: OnProgress) -> Costs:
    """Measures every victim of a benched run beside its baseline.

    Args:
        run: its victims are benched.
        pool: a registered query pool: what a thief may ask.
        images: how many test images, and how many of the pool, the distortion is measured on.
        on_progress: takes progress events.

    Returns:
        Per victim `training_seconds` (processor time, shared stages included) and `training_factor`; accuracy, flip
        rate and calibration; `l1_benign_mean` ... `l1_queries_max`, the distance of its answer to the baseline's; host
        microseconds per question at batch 1, the network included, and of draw and response alone; and what it takes on
        an emulated Cortex-M4 (instructions counted, cycles estimated with a band), or why it cannot be there.
    """
    config, dataset = run.config, load_dataset(run.config.data)
    questions = {"benign": dataset.test.images[:images], "queries": query_pool(pool).load(dataset)[:images]}
    names = [victim.name for victim in config.victims]
    answer = {name: _Answers(run, name) for name in names}
    seconds = {name: _training_seconds(run, name) for name in names}
    reference = {kind: answer[config.bench.baseline](asked) for kind, asked in questions.items()}
    times = _time_queries(answer, questions["benign"])
    costs: dict[str, VictimCosts] = {}
    for index, name in enumerate(names):
        on_progress(Progress(index, len(names), f"{name}: {BOARD}"))
        accuracy = read_json(run.victims[name].files.measurements)["accuracy"]
        distances = {
            kind: np.abs(answer[name](asked).astype(int) - reference[kind]).sum(axis=1) / 256
            for kind, asked in questions.items()
        }
        found = {
            "training_seconds": seconds[name],
            "training_factor": seconds[name] / seconds[config.bench.baseline],
            **{key: accuracy[key] for key in ("accuracy_expected", "flip_rate", "calibration_error")},
            **{f"l1_{kind}_mean": float(each.mean()) for kind, each in distances.items()},
            **{f"l1_{kind}_max": float(each.max()) for kind, each in distances.items()},
            **times[name],
            "device": _on_device(answer[name].model.artifact.file, name),
        }
        costs[name] = cast(VictimCosts, found)
    return {"schema_version": 1, "baseline": config.bench.baseline, "board": BOARD, "pool": pool, "victims": costs}


class _Answers:
    """Answers of a victim as its device would give them."""

    def __init__(self, run: RunDirectory, name: str) -> None:
        self.model = open_fastest(open_artifact(run.model(name)))
        self._choose = HEAD_SELECTIONS[self.model.artifact.selection]
        self._device = simulated_device(run.config.seed)
        self._answers = Answers(self.model.artifact)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        quantized = self.model.artifact.quantize(images)
        return self.finish(quantized, self.model.all_heads(quantized))

    def finish(self, quantized: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """What comes after the network: uint8 [N, classes]."""
        return self._answers.of(quantized, logits, self._choose(quantized, self._answers.heads, self._device))


def _training_seconds(run: RunDirectory, name: str) -> float:
    """Processor time of all epochs that the victim's network has seen, those of shared trainings included."""
    folders = (run.dense(dense_twin(run.config, run.victims, name)), run.victim(trained_twin(run.victims, name)))
    if missing := [folder for folder in folders if not is_made(folder / EPOCH_TIMES)]:
        raise UsageError(
            f"{run.path} has no times of its epochs: {missing[0] / EPOCH_TIMES} is missing; train it again"
        )
    rows = [row for folder in folders for row in csv.reader(read_text(folder / EPOCH_TIMES).splitlines())]
    # An epoch that was interrupted and run again counts once.
    return sum({(stage, epoch): float(seconds) for stage, epoch, seconds in rows}.values())


def _time_queries(answers: dict[str, _Answers], images: np.ndarray) -> dict[str, dict[str, float]]:
    """Times single questions, victims interleaved; medians of rounds."""
    whole: dict[str, list[float]] = {name: [] for name in answers}
    after: dict[str, list[float]] = {name: [] for name in answers}
    for _ in range(_ROUNDS):
        for name, each in answers.items():
            for image in images[:_TIMED_QUERIES, np.newaxis]:
                start = time.perf_counter()
                quantized = each.model.artifact.quantize(image)
                logits = each.model.all_heads(quantized)
                middle = time.perf_counter()
                each.finish(quantized, logits)
                end = time.perf_counter()
                whole[name].append(end - start)
                after[name].append(end - middle)
    return {
        name: {
            "host_query_us_p50": float(np.median(whole[name]) * 1e6),
            "host_response_us_p50": float(np.median(after[name]) * 1e6),
        }
        for name in answers
    }


def _on_device(file: ModelFile, name: str) -> DeviceCost:
    """Builds the firmware, boots it, and returns what it takes; or why no device can run it."""
    selection = "keyed" if "head" in file.inputs else "fixed"
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as private:
        folder = Path(private)
        try:
            firmware = build_firmware(file, load_board(BOARD), folder / name, selection)
        except UsageError as error:
            return {"deployable": False, "reason": str(error)}
        counts = flash_and_check(firmware, load_board(BOARD), bytes(range(16)), selection, folder, None, 60).counts
        cycles = estimate_cycles(file, load_board(BOARD), folder / f"{name}-counted")
    return {
        "deployable": True,
        "flash_bytes": firmware.image.flash_bytes,
        "ram_bytes": firmware.image.ram_bytes,
        "instructions_per_inference": counts.draw + counts.inference + counts.answer,
        "instructions_after_network": counts.draw + counts.answer,
        "estimated_cycles": _estimated(cycles, firmware.image.model.layers),
    }


def _estimated(cycles: CycleEstimate | str, layers: Sequence[Layer]) -> EstimatedCycles:
    """From image to answer, the draw apart; without the layers, which `tinycerb bench MODEL --board` tells."""
    if isinstance(cycles, str):
        return cast(EstimatedCycles, no_estimate(cycles))
    work = sum(map(multiply_accumulates, layers))
    found = {
        "basis": "estimated",
        "source": cycles.source,
        "calibration": cycles.calibration.told,
        **cycle_facts(cycles.inference + cycles.answer, work, cycles.peak),
    }
    return cast(EstimatedCycles, found)
