"""Runs one cell: the attack against the sealed oracle, then the clone on the test set."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from keras_models.legacy import keras
from tinycerb.atomic import write_json
from tinycerb.attacks import AttackInputs, attack_of
from tinycerb.attacks.students import STUDENTS
from tinycerb.bench.cell import CellSpec, find_cell, load_own, load_pool
from tinycerb.bench.remembered import RememberedOracle
from tinycerb.datasets.images import FINGERPRINTS, Dataset, image_fingerprints
from tinycerb.errors import UsageError
from tinycerb.events import Report
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.run_dir import RunDirectory
from tinycerb.training.setup import make_repeatable


def run_cell(run: RunDirectory, dataset: Dataset, spec: CellSpec, report: Report) -> None:
    """Runs a cell and writes `cells/<digest>.json`; a finished cell is left alone.

    The test set is used to measure the clone, never to choose it: the result is the last epoch's. The best
    measured epoch stands beside it as `oracle_best`.

    Raises:
        UsageError: the attacker's images overlap the defender's, or the settings do not fit the pool.
        EnvironmentProblem: the oracle died.
    """
    if find_cell(run, spec) is not None:
        return
    make_repeatable(spec.attacker_seed)
    pool, own = load_pool(spec.attack, dataset), load_own(spec.attack, dataset, run.config.seed)
    _check_disjoint(run, spec, np.concatenate([pool, own]))
    with np.load(run.victim(spec.victim) / "test_labels.npz", allow_pickle=False) as arrays:
        victim_labels = arrays["labels"]
    curve: list[dict[str, float]] = []

    def measure(epoch: int, predict: Callable[[np.ndarray], np.ndarray]) -> None:
        labels = predict(dataset.test.images).argmax(axis=1)
        accuracy, agreement = (float((labels == wanted).mean()) for wanted in (dataset.test.labels, victim_labels))
        curve.append({"epoch": epoch, "clone_accuracy": accuracy, "agreement_with_victim": agreement})

    parameters: list[int] = []

    def build() -> keras.Model:
        student = STUDENTS[spec.student](dataset.image_shape, dataset.classes)
        parameters.append(int(student.count_params()))
        return student

    notes: dict[str, float | int | str] = {}
    oracle_spec = OracleSpec(str(run.model(spec.victim)), spec.attack.output, spec.selection, spec.device_seed)
    open_oracle = partial(SealedOracle, oracle_spec, report)
    with RememberedOracle(oracle_spec, spec.model_sha256, run.path / "answers", open_oracle) as oracle:
        attack_of(spec.attack).run(
            AttackInputs(
                oracle=oracle,
                pool=pool,
                own=own,
                classes=dataset.classes,
                build=build,
                config=spec.attack,
                learning_rate=spec.learning_rate,
                response=run.config.victim(spec.victim).response,
                seed=spec.attacker_seed,
                on_epoch=measure,
                note=notes.__setitem__,
                report=report,
            )
        )
        result = {**_result(curve, oracle.charged), "clone_parameters": sum(parameters), "notes": notes}
        result["engine"] = oracle.engine
    write_json(run.cell(spec.digest()), {"spec": _as_table(spec), "result": result})


def _result(curve: list[dict[str, float]], charged: int) -> dict[str, Any]:
    return {
        "clone_accuracy": curve[-1]["clone_accuracy"],
        "clone_accuracy_oracle_best": max(row["clone_accuracy"] for row in curve),
        "agreement_with_victim": curve[-1]["agreement_with_victim"],
        "queries_charged": charged,
        "curve": curve,
    }


def _as_table(spec: CellSpec) -> dict[str, Any]:
    return {**asdict(spec), "digest": spec.digest()}


def _check_disjoint(run: RunDirectory, spec: CellSpec, pool: np.ndarray) -> None:
    """An attacker's image that the defender has trained on would flatter the defence."""
    with np.load(run.victim(spec.victim) / FINGERPRINTS, allow_pickle=False) as arrays:
        shared = np.isin(image_fingerprints(pool), arrays["fingerprints"])
    if shared.any():
        raise UsageError(
            f"{int(shared.sum())} images of the pool {spec.attack.query_pool} are also in the out-of-distribution "
            f"data of {spec.victim}; choose another query_pool or other families"
        )
