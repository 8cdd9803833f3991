"""Which cells a matrix has, counted by hand on made-up images; runs of other seeds; nothing is trained."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinycerb.attacks import attack_of
from tinycerb.bench.cell import digest_questions, keep_cell, seal
from tinycerb.config import AttackConfig, Config
from tinycerb.config.loading import load_config
from tinycerb.datasets.images import Dataset, LabelledImages
from tinycerb.errors import UsageError
from tinycerb.matrix.cells import Skipped, list_cells, selections_of, take_stock
from tinycerb.matrix.seeds import config_of_seed, seed_runs
from tinycerb.run.directory import RunDirectory

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 1), dtype=np.uint8)
LABELLED = LabelledImages(IMAGES, np.zeros(8, np.int64))
DATASET = Dataset("made up", "here", ("a", "b"), LABELLED, LABELLED, LABELLED)
POOL = AttackConfig("pool", query_pool="in_distribution", students=("lenet",))
OWN = AttackConfig("own", query_pool="in_distribution", in_distribution_images=2, students=("lenet", "batchnorm_cnn"))


@pytest.fixture(autouse=True)
def made_up_data(monkeypatch) -> None:
    monkeypatch.setattr("tinycerb.matrix.cells.load_dataset", lambda data: DATASET)


def config_of(*settings: str) -> Config:
    return replace(load_config("smoke", list(settings)), attacks=(POOL, OWN))


def test_every_victim_attack_selection_budget_student_and_seed_is_a_cell(tmp_path: Path) -> None:
    config = config_of("seed=1", "bench.budgets=[4,10,11]", "bench.attacker_seeds=[7]")
    runs = [RunDirectory(tmp_path, config), RunDirectory(tmp_path / "2", replace(config, seed=2))]
    cells, skipped = list_cells(runs)
    # One selection of the undefended network, that of the device and the mean of the three heads of the other.
    victims = [("undefended", "fixed"), ("cerberos", "random"), ("cerberos", "mean")]
    asked = [(cell.run, cell.spec.attack, cell.spec) for cell in cells]
    assert [(run, a.name, a.budget, spec.victim, spec.selection, spec.student) for run, a, spec in asked] == [
        (run, attack, budget, victim, selection, student)
        for attack, budgets, students in (("pool", (4,), ("lenet",)), ("own", (4, 10), ("lenet", "batchnorm_cnn")))
        for run in runs
        for budget in budgets
        for victim, selection in victims
        for student in students
    ]
    assert {cell.digest for cell in cells} == {cell.spec.digest() for cell in cells}
    assert {(cell.spec.attack.name, cell.threat, cell.images) for cell in cells} == {
        ("pool", "T2", 8),
        ("own", "T2", 10),
    }
    # The seed chooses own images; whose pool is the same is asked the same.
    questions = {(cell.spec.attack.name, cell.spec.victim_seed): cell.spec.query_pool for cell in cells}
    assert questions == {
        (attack.name, seed): digest_questions(attack, DATASET, seed) for attack in (POOL, OWN) for seed in (1, 2)
    }
    assert questions["pool", 1] == questions["pool", 2]
    assert questions["own", 1] != questions["own", 2]
    assert [(each.attack, each.budget) for each in skipped] == [("pool", 10), ("pool", 11), ("own", 11)]
    with pytest.raises(UsageError) as refused:
        attack_of(POOL).check(replace(POOL, budget=10), 8, 0)
    assert skipped[0] == Skipped("pool", 10, str(refused.value))


def test_without_budgets_an_attack_that_cannot_run_is_an_error(tmp_path: Path) -> None:
    config = replace(config_of(), attacks=(replace(POOL, budget=9),))
    with pytest.raises(UsageError, match="9"):
        list_cells([RunDirectory(tmp_path, config)])


def test_a_cells_name_for_people(tmp_path: Path) -> None:
    config = replace(config_of("seed=3", "bench.attacker_seeds=[7]"), attacks=(POOL, replace(OWN, budget=10)))
    cells, skipped = list_cells([RunDirectory(tmp_path, config)])
    assert skipped == []
    keys = [cell.key for cell in cells]
    assert keys[0] == "undefended/pool/fixed/lenet/0.002/all/3x7"
    assert keys[-1] == "cerberos/own/mean/batchnorm_cnn/0.002/10/3x7"


def test_heads_are_chosen_as_by_the_device_and_averaged_where_there_are_several(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, config_of())
    assert selections_of(run, "undefended") == ["fixed"]
    assert selections_of(run, "cerberos") == ["random", "mean"]


def test_finished_cells_are_taken_and_damaged_ones_named(tmp_path: Path) -> None:
    run = RunDirectory.create(config_of("bench.attacker_seeds=[7]"), tmp_path / "run", force=False)
    cells, _ = list_cells([run])
    content = json.loads(json.dumps(seal(cells[1].spec, {"clone_accuracy": 0.5})))
    for cell in cells[1:3]:
        keep_cell(run, cell.spec, content)
    finished, said = take_stock(cells)
    assert finished == {cells[1].digest: content}
    moved = f"moved to {cells[2].digest}.json.damaged"
    assert said == [f"{cells[2].key}: {run.cell(cells[2].digest)} is damaged; {moved}; it is computed again"]


def test_seeds_beside_the_first_have_runs_inside_it(tmp_path: Path) -> None:
    config = load_config("smoke", ["bench.victim_seeds=[1,2,5]"])
    root = RunDirectory.create(config, tmp_path / "run", force=False)
    described = seed_runs(root, create=False)
    assert [run.path for run in described] == [root.path, root.path / "seeds" / "2", root.path / "seeds" / "5"]
    assert not (root.path / "seeds").exists()
    assert described[0] is root
    assert [run.config for run in described[1:]] == [
        replace(config, seed=seed, bench=replace(config.bench, victim_seeds=())) for seed in (2, 5)
    ]
    assert config_of_seed(config, 1) is config
    # What a kill has left half made goes; what is whole stays.
    half = root.path / "seeds" / "2" / "rubbish"
    half.parent.mkdir(parents=True)
    half.touch()
    seed_runs(root)
    assert not half.exists()
    kept = root.path / "seeds" / "5" / "kept"
    kept.touch()
    again = seed_runs(root)
    assert kept.exists()
    assert [RunDirectory.open(run.path).config for run in again] == [run.config for run in described]


def test_a_cell_names_the_file_of_its_victim_and_none_that_is_half_converted(tmp_path: Path, monkeypatch) -> None:
    config = config_of("bench.attacker_seeds=[7]")
    runs = [RunDirectory(tmp_path / str(seed), replace(config, seed=seed)) for seed in (1, 2)]
    for run, victim, names in (
        (runs[0], "undefended", ("model.tflite", "model.json")),
        (runs[0], "cerberos", ("model.tflite",)),
        (runs[1], "undefended", ("model.json",)),
        (runs[1], "cerberos", ("model.tflite", "model.json")),
    ):
        run.victim(victim).mkdir(parents=True)
        for name in names:
            (run.victim(victim) / name).touch()
    monkeypatch.setattr(RunDirectory, "model_sha256", lambda run, victim: f"{victim} of {run.config.seed}")
    cells, _ = list_cells(runs)
    assert {(cell.run.config.seed, cell.spec.victim): cell.spec.model_sha256 for cell in cells} == {
        (1, "undefended"): "undefended of 1",
        (1, "cerberos"): "",
        (2, "undefended"): "",
        (2, "cerberos"): "cerberos of 2",
    }
