"""Several trainings of a victim, one of which is kept: who chooses, by what, and that one training is as it was."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinycerb.bench.cell import CellSpec
from tinycerb.bench.cell_inputs import CellInputs
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.query_pools import DRAWN_IMAGES
from tinycerb.errors import UsageError
from tinycerb.events import ignore
from tinycerb.jobs.candidates import Candidate, candidate_config, chosen, development_attack
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import do, is_done
from tinycerb.jobs.task import Task
from tinycerb.ownership.run_key import key_file
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_bytes, read_json, write_bytes, write_json
from tinycerb.training.batches import Batches
from tinycerb.training.twin_victims import dense_twin, trained_twin

SEVERAL = ("victims.undefended.seeds=3", "victims.undefended.keep_within=1")


def test_the_worst_copy_is_kept_among_the_accurate_ones() -> None:
    accurate, near, copied_worst = Candidate(1, 0.90, 0.45), Candidate(2, 0.89, 0.40), Candidate(3, 0.85, 0.20)
    found = [accurate, near, copied_worst]
    assert chosen(found, 1.0) == near
    assert chosen(found, 0.5) == accurate
    assert chosen(found, 5.0) == copied_worst
    assert chosen([accurate, replace(accurate, training_seed=9, validation_accuracy=0.905)], 1.0).training_seed == 9


def test_the_development_attacker_has_images_that_nobody_else_has() -> None:
    demo = load_config("demo")
    assert development_attack(demo).query_pool == "drawn-dead_leaves+glyphs"
    assert development_attack(demo).budget <= DRAWN_IMAGES
    mine = '{name="mine", query_pool="drawn-glyphs"}'
    assert development_attack(load_config("demo", [f"attacks=[{mine}]"])).query_pool == "drawn-dead_leaves"
    both = '{name="mine", query_pool="drawn-glyphs+dead_leaves"}'
    with pytest.raises(UsageError, match=r"hold all of them; leave one out, or set seeds = 1"):
        plan(load_config("demo", [f"attacks=[{both}]", "victims.misdirection.seeds=2"]))


def test_candidates_differ_in_first_weights_and_order_alone() -> None:
    config = load_config("demo", ["victims.misdirection.seeds=3", "seed=7"])
    found = [candidate_config(config, "misdirection", index) for index in range(3)]
    assert [each.training_seed for each in found] == [7, 100_007, 200_007]
    for each in found:
        assert (each.seed, each.owner, each.data, each.attacks) == (7, config.owner, config.data, config.attacks)
        assert [victim.seeds for victim in each.victims] == [1]
        assert replace(each.training, seed=0) == config.training
    assert candidate_config(load_config("demo", [f"seed={2**31 - 1}"]), "pruned", 1).training_seed == 100_000


def test_one_training_is_planned_as_it_was_and_several_are_nobodys_twins() -> None:
    before = plan(load_config("demo"))
    assert {task.kind for task in before}.isdisjoint({"candidate", "choose"})
    assert plan(load_config("demo", ["victims.misdirection.keep_within=3"])) == before
    config = load_config("demo", ["victims.misdirection.seeds=2"])
    tasks = {task.key: task for task in plan(config)}
    assert "pretrain/misdirection" not in tasks
    assert "train/misdirection" not in tasks
    assert tasks["choose/misdirection"].after == ("candidate/misdirection/1", "candidate/misdirection/2")
    assert tasks["convert/misdirection"].after == ("choose/misdirection",)
    victims = RunDirectory(Path(), load_config("demo", ["victims.undefended.seeds=2"])).victims
    assert dense_twin(config, victims, "pruned") == "pruned"
    assert [trained_twin(victims, name) for name in victims] == list(victims)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seeds=0", r"victims\.pruned\.seeds is 0; allowed: 1 to 8"),
        ("seeds=9", r"victims\.pruned\.seeds is 9; allowed: 1 to 8"),
        ("keep=last", r"victims\.pruned\.keep is 'last'; allowed: best development clone"),
        ("keep_within=-1", r"victims\.pruned\.keep_within is -1\.0; allowed: 0 to 100"),
    ],
)
def test_wrong_values_are_named(override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_config("demo", [f"victims.pruned.{override}"])


def test_the_owner_key_is_found_from_a_candidate(tmp_path) -> None:
    run = RunDirectory.create(load_config("smoke"), tmp_path / "run", False)
    write_json(run.path / "owner.json", {"key_file": "../some.key"})
    for inside in ("candidates/misdirection-2", "seeds/2/candidates/misdirection-2"):
        assert key_file(RunDirectory(run.path / inside, run.config)) == tmp_path / "some.key"
    assert key_file(RunDirectory(tmp_path / "elsewhere" / "run", run.config)) is None


@pytest.fixture
def choosing(smoke_run, tmp_path, monkeypatch) -> Any:
    """A run of three trainings which take the smoke run's files instead of training; returns what attacked them."""
    attacked: list[tuple[CellSpec, CellInputs]] = []
    config = load_config("smoke", SEVERAL)
    run = RunDirectory.create(config, tmp_path / "run", False)

    def trained(candidate: RunDirectory, tasks: Sequence[Task], jobs: int, display: Any) -> None:
        assert [task.kind for task in tasks] == ["pretrain", "train", "convert"]
        display.begin({task.key: 1.0 for task in tasks}, ())
        for path in sorted(smoke_run.victim("undefended").iterdir()):
            if path.is_file() and path.suffix in (".h5", ".json", ".npz", ".csv", ".tflite"):
                write_bytes(candidate.victim("undefended") / path.name, read_bytes(path))
        marked = candidate.victim("undefended") / "training.json"
        write_json(marked, {**read_json(marked), "made_by": candidate.config.training_seed})

    def computed(spec: CellSpec, inputs: CellInputs, answers: Path, on_progress: Any) -> Any:
        attacked.append((spec, inputs))
        return {"result": {"clone_accuracy": (0.5, 0.3, 0.4)[len(attacked) - 1]}}

    monkeypatch.setattr("tinycerb.datasets.query_pools.DRAWN_IMAGES", 44)
    monkeypatch.setattr("tinycerb.jobs.scheduler.run_tasks", trained)
    monkeypatch.setattr("tinycerb.bench.stealing.compute_cell", computed)
    return run, attacked


def test_the_kept_training_is_the_victim_and_test_images_have_no_part(choosing) -> None:
    run, attacked = choosing
    tasks = [task for task in plan(run.config) if task.kind in ("candidate", "choose")]
    for task in tasks:
        assert not is_done(run, task)
        do(run, task, ignore)
        assert is_done(run, task)
    choice = read_json(run.victims["undefended"].files.choice)
    assert [each["development_clone_accuracy"] for each in choice["candidates"]] == [0.5, 0.3, 0.4]
    assert choice["training_seed"] == run.config.seed + 100_000
    assert read_json(run.victims["undefended"].files.training)["made_by"] == run.config.seed + 100_000
    dataset = load_dataset(run.config.data)
    for spec, inputs in attacked:
        np.testing.assert_array_equal(inputs.test.images, dataset.validation.images)
        np.testing.assert_array_equal(inputs.victim_labels, dataset.validation.labels)
        assert inputs.victim_answers is None
        assert spec.attack == development_attack(run.config)
        assert spec.attacker_seed not in (run.config.seed, run.config.seed + 1000)
        assert inputs.model.parent.parent.parent.parent.name == "candidates"


def test_a_candidate_that_is_done_again_makes_the_choice_anew(choosing) -> None:
    run, _ = choosing
    tasks = {task.key: task for task in plan(run.config) if task.kind in ("candidate", "choose")}
    for task in tasks.values():
        do(run, task, ignore)
    file = run.victims["undefended"].files.candidate(1)
    write_json(file, {**read_json(file), "development_clone_accuracy": 0.9})
    assert not is_done(run, tasks["choose/undefended"])
    do(run, tasks["choose/undefended"], ignore)
    assert read_json(run.victims["undefended"].files.choice)["training_seed"] == run.config.seed + 200_000
    assert read_json(run.victims["undefended"].files.training)["made_by"] == run.config.seed + 200_000
    assert is_done(run, tasks["choose/undefended"])


@pytest.mark.parametrize(("override", "seeded"), [("training.seed=0", 1), ("training.seed=5", 5)])
def test_a_training_seed_moves_weights_and_order_and_leaves_teachers(override, seeded, tmp_path, monkeypatch) -> None:
    from tinycerb.training import victim as training

    config = load_config("smoke", [override])
    given: list[int] = []
    monkeypatch.setattr(training, "make_repeatable", given.append)
    found = RunDirectory(tmp_path, config).victims["undefended"]
    prepared = training._prepare(config, found, load_dataset(config.data), tmp_path, tmp_path, ignore, (), Path())
    assert given == [seeded]
    alike, other = (Batches(1500, 64, 0, 32, seed).epoch("dense", 0) for seed in (seeded, seeded + 1))
    order = [own.tolist() for own, _ in prepared.batches.epoch("dense", 0)]
    assert order == [own.tolist() for own, _ in alike]
    assert order != [own.tolist() for own, _ in other]
    assert prepared._setting("dense", None).seed == config.seed == 1
