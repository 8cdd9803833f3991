"""Runs one cell: the attack against the sealed oracle, then the clone on the test set."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from tinycerb.attacks import AttackInputs, attack_of
from tinycerb.attacks.building_blocks.distill import predictor
from tinycerb.attacks.building_blocks.pretraining import Pretrained, start_from
from tinycerb.attacks.building_blocks.students import STUDENTS, Student
from tinycerb.attacks.building_blocks.victim_x2 import made_after
from tinycerb.bench.cell import CellContent, CellSpec, find_cell, keep_cell, seal
from tinycerb.bench.cell_inputs import CellInputs, gather_inputs, with_teachers
from tinycerb.bench.parts_code import require_code
from tinycerb.bench.pretrained import pretrained_student
from tinycerb.config import VictimConfig
from tinycerb.datasets.images import Dataset, image_fingerprints
from tinycerb.errors import UsageError
from tinycerb.events import OnProgress
from tinycerb.keras_models.legacy import keras
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.oracle.transcripts import RememberedOracle
from tinycerb.ownership.run_key import key_file, remedy
from tinycerb.run.directory import RunDirectory
from tinycerb.training.setup import make_repeatable

# A clone that rules a label out for good would be infinitely far from a victim that answers with it.
_LEAST_PROBABILITY = 1e-6


def run_cell(run: RunDirectory, dataset: Dataset, spec: CellSpec, on_progress: OnProgress) -> None:
    """Runs a cell and writes `cells/<digest>.json`; a finished cell is left alone. Errors as `compute_cell`."""
    if find_cell(run, spec) is None:
        inputs = with_teachers(gather_inputs(run, dataset, spec), spec, key_file(run), remedy(run))
        content = compute_cell(spec, inputs, run.path / "answers", on_progress)
        keep_cell(run, spec, content)


def compute_cell(spec: CellSpec, inputs: CellInputs, answers: Path, on_progress: OnProgress) -> CellContent:
    """Computes a cell.

    The test set is used to measure the clone, never to choose it: the result is the last epoch's. The best
    measured epoch stands beside it as `oracle_best`.

    Args:
        spec: which cell.
        inputs: what it is computed from.
        answers: the folder where the oracle's answers are remembered.
        on_progress: takes progress events.

    Returns:
        What `cells/<digest>.json` holds.

    Raises:
        UsageError: the attacker's images overlap the defender's, or the settings do not fit the pool.
        EnvironmentProblem: the oracle died, or the code that is here is not the one that the specification names.
    """
    options = json.loads(spec.defense_options)
    victim = VictimConfig(spec.victim, spec.defense, options=options, response=inputs.response)
    require_code(spec.code, victim, spec.attack.attack, spec.student, spec.attack.pretraining, spec.architecture)
    network = made_after(STUDENTS[spec.student], spec.architecture)
    pretrained = _pretrained(spec, network, inputs, on_progress) if spec.attack.pretraining else None
    # After it, so that a clone does not depend on whether its student was pretrained now or before.
    make_repeatable(spec.attacker_seed)
    _check_disjoint(spec, inputs)
    curve: list[dict[str, float]] = []

    def measure(epoch: int, predict: Callable[[np.ndarray], np.ndarray]) -> None:
        curve.append({"epoch": epoch, **compare_clone(predict(inputs.test.images), inputs)})

    parameters: list[int] = []
    untrained: list[float] = []

    def build() -> keras.Model:
        height, width, channels = inputs.test.images.shape[1:]
        student = network((height, width, channels), inputs.classes)
        if pretrained is not None:
            start_from(pretrained.weights, student)
        parameters.append(int(student.count_params()))
        if not untrained:
            labels = predictor([student])(inputs.test.images).argmax(axis=1)
            untrained.append(float((labels == inputs.test.labels).mean()))
        return student

    notes: dict[str, float | int | str] = {}
    oracle_spec = OracleSpec(str(inputs.model), spec.attack.output, spec.selection, spec.device_seed)
    open_oracle = partial(SealedOracle, oracle_spec, on_progress)
    with RememberedOracle(oracle_spec, spec.model_sha256, answers, open_oracle, spec.code.response) as oracle:
        attack_of(spec.attack).run(
            AttackInputs(
                oracle=oracle,
                pool=inputs.pool,
                in_distribution=inputs.in_distribution,
                classes=inputs.classes,
                build=build,
                config=spec.attack,
                learning_rate=spec.learning_rate,
                response=inputs.response,
                seed=spec.attacker_seed,
                on_epoch=measure,
                note=notes.__setitem__,
                on_progress=on_progress,
                teachers=inputs.teachers,
            )
        )
        result = {**_result(curve, oracle.charged), "clone_parameters": sum(parameters), "notes": notes}
        result["untrained_accuracy"] = untrained[0] if untrained else None
        result["engine"] = oracle.engine
        if pretrained is not None:
            result["pretraining_accuracy"] = pretrained.accuracy
    return seal(spec, result)


def _pretrained(spec: CellSpec, network: Student, inputs: CellInputs, on_progress: OnProgress) -> Pretrained:
    height, width, channels = inputs.test.images.shape[1:]
    return pretrained_student(
        spec.student,
        network,
        spec.attack.pretraining,
        (height, width, channels),
        spec.attacker_seed,
        spec.pretraining,
        spec.code.student,
        on_progress,
    )


def compare_clone(posteriors: np.ndarray, inputs: CellInputs) -> dict[str, float]:
    """Compares a clone's posteriors on the test images, float [T, classes], with the truth and with the victim.

    Returns:
        `clone_accuracy`, `agreement_with_victim`, and where the victim's answers were kept `kl_to_victim`, the
        mean of sum_k v_k log(v_k / c_k) in nats, and `l1_to_victim`, the mean of sum_k |v_k - c_k|, 0 to 2.
    """
    labels = posteriors.argmax(axis=1)
    figures = {
        "clone_accuracy": float((labels == inputs.test.labels).mean()),
        "agreement_with_victim": float((labels == inputs.victim_labels).mean()),
    }
    victim = inputs.victim_answers
    if victim is None:
        return figures
    answered = np.log(np.maximum(victim, _LEAST_PROBABILITY)) - np.log(np.maximum(posteriors, _LEAST_PROBABILITY))
    return {
        **figures,
        # Sums of float32 depend on the number of threads in their last digits; a cell does not.
        "kl_to_victim": round(float((victim * answered).sum(axis=1, dtype=np.float64).mean()), 5),
        "l1_to_victim": round(float(np.abs(victim - posteriors).sum(axis=1, dtype=np.float64).mean()), 5),
    }


def _result(curve: list[dict[str, float]], charged: int) -> dict[str, object]:
    last = {key: value for key, value in curve[-1].items() if key != "epoch"}
    return {
        **last,
        "clone_accuracy_oracle_best": max(row["clone_accuracy"] for row in curve),
        "queries_charged": charged,
        "curve": curve,
    }


def _check_disjoint(spec: CellSpec, inputs: CellInputs) -> None:
    """An attacker's image that the defender has trained on would flatter the defence."""
    asked = np.concatenate([inputs.pool, inputs.in_distribution])
    shared = np.isin(image_fingerprints(asked), inputs.fingerprints)
    if shared.any():
        raise UsageError(
            f"{int(shared.sum())} images of the pool {spec.attack.query_pool} are also in the out-of-distribution "
            f"data of {spec.victim}; choose another query_pool or other families"
        )
