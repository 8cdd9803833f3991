"""What a cell hands its attack and keeps of it; attack, oracle and student are made up, and nothing is trained."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.bench.test_clones import CLONE, INPUTS, SPEC
from tinycerb.attacks import AttackInputs
from tinycerb.bench.cell import CellContent, seal
from tinycerb.bench.stealing import compute_cell, run_cell
from tinycerb.events import ignore
from tinycerb.oracle import OracleSpec, SealedOracle

ORACLE = SimpleNamespace(charged=600, engine={"runtime": "made up"})


@pytest.fixture
def steal(monkeypatch, tmp_path: Path):
    """Runs `attack` as the attack of a cell; returns the cell and what was opened and seeded for it."""

    def run(attack, **changes: Any) -> tuple[CellContent, list[Any]]:
        noted: list[Any] = []

        class Remembered:
            def __init__(self, spec: OracleSpec, model_sha256: str, answers: Path, open_oracle: Any, code: str) -> None:
                assert code == SPEC.code.response
                noted.append((spec, model_sha256, answers))
                opened = (open_oracle.func, open_oracle.args, open_oracle.keywords)
                assert opened == (SealedOracle, (spec, ignore), {})

            def __enter__(self) -> SimpleNamespace:
                return ORACLE

            def __exit__(self, *error: object) -> None:
                noted.append("closed")

        def student(shape: tuple[int, ...], classes: int) -> SimpleNamespace:
            assert (shape, classes) == ((4, 4, 1), 2)
            return SimpleNamespace(count_params=lambda: 1000)

        def predictor(students: list[SimpleNamespace]):
            assert len(students) == 1
            return lambda images: CLONE[: len(images)] * [[0, 1]]

        monkeypatch.setattr("tinycerb.bench.stealing.make_repeatable", noted.append)
        monkeypatch.setattr("tinycerb.bench.stealing.RememberedOracle", Remembered)
        monkeypatch.setattr("tinycerb.bench.stealing.STUDENTS", {"lenet": student})
        monkeypatch.setattr("tinycerb.bench.stealing.predictor", predictor)
        monkeypatch.setattr("tinycerb.bench.stealing.attack_of", lambda config: SimpleNamespace(run=attack))
        spec = replace(SPEC, **changes)
        return compute_cell(spec, INPUTS, tmp_path, ignore), noted

    return run


def test_an_attack_is_given_what_it_may_have(steal, tmp_path: Path) -> None:
    given: list[AttackInputs] = []

    def attack(inputs: AttackInputs) -> None:
        given.append(inputs)
        inputs.on_epoch(1, lambda images: CLONE)

    _, noted = steal(attack)
    assert noted == [7, (OracleSpec("nowhere.tflite", "probs", "random", 8), "model", tmp_path), "closed"]
    (inputs,) = given
    assert inputs.oracle is ORACLE
    assert inputs.pool is INPUTS.pool
    assert inputs.in_distribution is INPUTS.in_distribution
    assert (inputs.classes, inputs.config, inputs.learning_rate) == (2, SPEC.attack, 1e-3)
    assert (inputs.response, inputs.seed, inputs.on_progress) == ("none", 7, ignore)
    assert inputs.teachers is INPUTS.teachers


def test_what_is_kept_by_hand(steal) -> None:
    """Two students, two measured epochs of which the last counts; untrained they say 1 four times: right on two."""

    def attack(inputs: AttackInputs) -> None:
        inputs.build()
        inputs.on_epoch(2, lambda images: np.eye(2, dtype=np.float32)[[0, 0, 1, 1]])
        inputs.build()
        inputs.on_epoch(4, lambda images: CLONE)
        inputs.note("found", 3)

    content, _ = steal(attack)
    result = content["result"]
    assert content == json.loads(json.dumps(seal(SPEC, result))) | {"spec": content["spec"]}
    assert [(point["epoch"], point["clone_accuracy"]) for point in result["curve"]] == [(2, 1.0), (4, 0.75)]
    assert (result["clone_accuracy"], result["clone_accuracy_oracle_best"]) == (0.75, 1.0)
    assert (result["queries_charged"], result["clone_parameters"]) == (600, 2000)
    assert (result["notes"], result["untrained_accuracy"]) == ({"found": 3}, 0.5)
    assert result["engine"] == {"runtime": "made up"}


def test_an_attack_that_builds_no_student_has_none_untrained(steal) -> None:
    content, _ = steal(lambda inputs: inputs.on_epoch(1, lambda images: CLONE))
    assert (content["result"]["untrained_accuracy"], content["result"]["clone_parameters"]) == (None, 0)


@pytest.mark.parametrize("finished", [{"result": {}}, None])
def test_a_finished_cell_is_left_alone(finished: dict | None, monkeypatch, tmp_path: Path) -> None:
    run, calls = SimpleNamespace(path=tmp_path), []

    def called(name: str, returned: Any):
        return lambda *arguments: calls.append((name, *arguments)) or returned

    parts = {
        "find_cell": finished, "gather_inputs": "gathered", "key_file": "key", "remedy": "remedy",
        "with_teachers": "inputs", "compute_cell": "content", "keep_cell": None,
    }  # fmt: skip
    for name, returned in parts.items():
        monkeypatch.setattr(f"tinycerb.bench.stealing.{name}", called(name, returned))
    on_progress = lambda progress: None  # noqa: E731
    run_cell(run, "dataset", SPEC, on_progress)  # pyright: ignore[reportArgumentType]
    expected: list[tuple] = [("find_cell", run, SPEC)]
    if finished is None:
        expected += [
            ("gather_inputs", run, "dataset", SPEC), ("key_file", run), ("remedy", run),
            ("with_teachers", "gathered", SPEC, "key", "remedy"),
            ("compute_cell", SPEC, "inputs", tmp_path / "answers", on_progress), ("keep_cell", run, SPEC, "content"),
        ]  # fmt: skip
    assert calls == expected
