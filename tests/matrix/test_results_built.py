"""What `results.json` holds of a matrix that is half done, from made-up cells."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.bench.test_clones import SPEC
from tinycerb.atomic import read_json, write_json
from tinycerb.bench.verdict import THREATS
from tinycerb.config import AttackConfig
from tinycerb.matrix.cells import MatrixCell, Skipped
from tinycerb.matrix.results import gather_results
from tinycerb.run.directory import RunDirectory

ATTACK = AttackConfig("knockoff", budget=100)
CLONE = {
    "clone_accuracy": 0.7, "clone_accuracy_oracle_best": 0.9, "queries_charged": 100, "clone_parameters": 5000,
    "agreement_with_victim": 0.6, "kl_to_victim": 1.5, "untrained_accuracy": 0.1, "curve": [], "engine": {},
}  # fmt: skip


@pytest.fixture
def results(tmp_path, monkeypatch) -> tuple[Any, list[MatrixCell]]:
    config = SimpleNamespace(
        name="made up", data="data", attacks=[ATTACK, replace(ATTACK, name="own", in_distribution_images=1)],
        victims=[SimpleNamespace(name="plain"), SimpleNamespace(name="cerberos")],
        bench=SimpleNamespace(baseline="plain", validity=0.8),
    )  # fmt: skip
    runs = [
        RunDirectory(tmp_path, SimpleNamespace(**vars(config), seed=seed))  # pyright: ignore[reportArgumentType]
        for seed in (3, 4)
    ]
    write_json(tmp_path / "env.json", {"tinycerb": "1.2.3"})
    dataset = SimpleNamespace(
        name="digits", digest="abc", classes=["a", "b"], test=SimpleNamespace(images=np.zeros((50, 1)))
    )
    figures = {"seeds": [3, 4], "accuracy_per_seed": [0.8, 0.9]}
    monkeypatch.setattr("tinycerb.matrix.results.load_dataset", lambda data: {"data": dataset}[data])
    monkeypatch.setattr("tinycerb.matrix.results.victim_figures", lambda given, name: {"of": name, **figures})
    kinds = lambda *given: [[type(each).__name__ for each in given]]  # noqa: E731
    monkeypatch.setattr("tinycerb.matrix.results.reference_rows", kinds)
    specs = [
        replace(SPEC, attack=ATTACK, victim=victim, selection=selection, victim_seed=3, attacker_seed=seed)
        for victim, selection, seed in (("plain", "fixed", 9), ("cerberos", "mean", 8), ("cerberos", "random", 8))
    ]
    cells = [MatrixCell(runs[0], spec, "T1", 100) for spec in specs]
    finished = {cell.digest: {"spec": {"digest": cell.digest}, "result": CLONE} for cell in cells[:2]}
    found = gather_results(runs, cells, finished, [Skipped("own", 7, "too few")], ("one failed",))
    assert read_json(tmp_path / "results.json") == found
    return found, cells


def test_what_results_say_of_the_whole(results) -> None:
    found, _ = results
    assert found["schema_version"] == 1
    assert (found["name"], found["baseline"], found["validity"]) == ("made up", "plain", 0.8)
    assert found["provenance"] == {
        "tinycerb": "1.2.3", "dataset": "digits", "dataset_sha256": "abc", "test_images": 50, "classes": ["a", "b"],
    }  # fmt: skip
    assert (found["victim_seeds"], found["attacker_seeds"]) == ([3, 4], [8, 9])
    assert (found["cells_in_all"], found["cells_done"], found["failures"]) == (3, 2, ["one failed"])
    assert found["skipped"] == [{"attack": "own", "budget": 7, "reason": "too few"}]
    assert {name: each["of"] for name, each in found["victims"].items()} == {"plain": "plain", "cerberos": "cerberos"}
    assert found["reference_rows"] == [["SimpleNamespace", "list", "dict", "SimpleNamespace"]]
    # The bar: 80 % of the baseline's accuracy on the seed that was attacked.
    assert {threat: each["meaning"] for threat, each in found["threats"].items()} == THREATS
    assert found["threats"]["T1"]["bar"] == pytest.approx(0.64)
    assert found["threats"]["T1"]["conclusive"]
    # 1.96 deviations of a share of 0.7 of 50 images, at the least.
    assert found["threats"]["T1"]["victims"]["cerberos"]["stolen_accuracy"]["mean"] == 0.7
    assert found["threats"]["T1"]["victims"]["cerberos"]["stolen_accuracy"]["low"] < 0.7 - 0.1
    assert not found["threats"]["T2"]["conclusive"]


def test_what_results_say_of_a_cell(results) -> None:
    found, cells = results
    assert found["cells"][1] == {
        "basis": "measured", "digest": cells[1].digest, "victim": "cerberos", "attack": "knockoff", "threat": "T1",
        "budget": 100, "student": "lenet", "learning_rate": 1e-3, "selection": "mean", "mean_head": True,
        "victim_seed": 3, "attacker_seed": 8, "clone_accuracy": 0.7, "clone_accuracy_oracle_best": 0.9,
        "queries_charged": 100, "clone_parameters": 5000, "agreement_with_victim": 0.6, "kl_to_victim": 1.5,
        "l1_to_victim": None, "untrained_accuracy": 0.1,
    }  # fmt: skip
    assert (found["cells"][0]["mean_head"], found["cells"][0]["digest"]) == (False, cells[0].digest)
