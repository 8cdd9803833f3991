"""The curve of own-kind images: cells like any other, in no verdict, and as many as the data hold."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.bench.test_clones import INPUTS
from tinycerb.atomic import read_json
from tinycerb.attacks.base import choose_images
from tinycerb.bench.cell import digest_questions, threat_class
from tinycerb.bench.doses import (
    dose_attack,
    dose_specs,
    dosed_victims,
    fitting_doses,
    gather_doses,
    left_out_doses,
)
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.errors import UsageError
from tinycerb.events import ignore
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import do, is_done
from tinycerb.run.directory import RunDirectory


def test_a_dose_is_the_t2_reference_with_another_budget_and_no_fewer_steps() -> None:
    demo = load_config("demo")
    assert replace(dose_attack(500), name="own-kind-500") == demo.attack("own-kind-500")
    for images in demo.bench.doses:
        attack = dose_attack(images)
        assert (attack.budget, threat_class(attack), attack.output) == (images, "T2", "probs")
        assert attack.epochs * (images // min(images, attack.batch_size)) >= 280


def test_a_smaller_dose_is_part_of_every_larger_one() -> None:
    pool = np.arange(64, dtype=np.uint8).reshape(64, 1, 1, 1)
    nothing = pool[:0]

    def asked(images: int, seed: int = 3) -> set[int]:
        inputs: Any = SimpleNamespace(config=dose_attack(images), pool=pool, in_distribution=nothing, seed=seed)
        return set(choose_images(inputs).ravel().tolist())

    assert asked(10) < asked(30) < asked(60)
    assert len(asked(10)) == 10
    assert asked(10, seed=4) != asked(10)


def test_the_baseline_and_the_victim_to_deploy_get_a_curve_and_an_empty_list_gives_none() -> None:
    demo = load_config("demo")
    assert demo.bench.doses == (10, 30, 100, 300, 1000)
    assert dosed_victims(demo) == ["undefended", "misdirection"]
    tasks = {task.key: task for task in plan(demo)}
    assert tasks["dose/undefended"].after == ("measure/undefended",)
    assert [key for key in tasks if key.startswith("dose/")] == ["dose/undefended", "dose/misdirection"]
    assert dosed_victims(load_config("demo", ["recommended=undefended"])) == ["undefended"]
    off = load_config("demo", ["bench.doses=[]"])
    assert dosed_victims(off) == []
    assert all(task.kind != "dose" for task in plan(off))


@pytest.mark.parametrize(
    ("doses", "message"),
    [
        ("[0]", r"bench\.doses has 0; allowed: 1 to 2147483647, or empty \(no curve\)"),
        ("[10, 10]", r"bench\.doses is \[10, 10\]; allowed: each one once"),
        ("10", r"bench\.doses is 10; expected a list"),
    ],
)
def test_a_wrong_dose_is_named(doses: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_config("demo", [f"bench.doses={doses}"])


def test_doses_above_what_the_data_hold_are_left_out_and_that_is_said() -> None:
    validation = replace(INPUTS.test, images=np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1))
    dataset: Any = SimpleNamespace(validation=validation)
    config = load_config("demo", ["bench.doses=[1000, 30, 300, 10]"])
    assert fitting_doses(config, dataset) == [10, 30]
    said = left_out_doses(config, dataset)
    assert said == "bench.doses: 300, 1,000 left out, as there are 40 distinct validation images"
    assert left_out_doses(load_config("demo", ["bench.doses=[10, 40]"]), dataset) == ""


def test_the_run_has_the_curve_and_no_verdict_and_no_table_counts_it(smoke_run) -> None:
    metrics = read_json(smoke_run.metrics)
    doses = metrics["doses"]
    assert (doses["basis"], doses["left_out"], list(doses["victims"])) == ("measured", "", ["undefended", "cerberos"])
    for curve in doses["victims"].values():
        assert [dose["images"] for dose in curve] == [10, 100]
        for dose in curve:
            (cell,) = (read_json(smoke_run.cell(digest)) for digest in dose["cells"])
            assert cell["result"]["queries_charged"] == dose["images"]
            assert [cell["result"]["clone_accuracy"]] == dose["clone_accuracies"] == [dose["clone_accuracy"]]
    in_curve = {digest for curve in doses["victims"].values() for dose in curve for digest in dose["cells"]}
    assert len(in_curve) == 4
    assert list(metrics["threats"]) == ["T1"]
    in_tables = {cell["digest"] for victim in metrics["victims"].values() for cell in victim["cells"]}
    assert in_tables.isdisjoint(in_curve)


def test_a_stopped_curve_goes_on_and_a_missing_cell_is_named(smoke_run, tmp_path) -> None:
    copy = RunDirectory(Path(shutil.copytree(smoke_run.path, tmp_path / "run")), smoke_run.config)
    dataset = load_dataset(copy.config.data)
    before = gather_doses(copy, dataset)
    small, large = (copy.cell(spec.digest()) for spec in dose_specs(copy, dataset, "undefended"))
    (task,) = (task for task in plan(copy.config) if task.key == "dose/undefended")
    assert is_done(copy, task)
    kept = large.stat().st_mtime_ns
    small.unlink()
    assert not is_done(copy, task)
    with pytest.raises(UsageError, match=r"a cell of bench\.doses is missing; run it with: tinycerb bench "):
        gather_doses(copy, dataset)
    do(copy, task, ignore)
    assert is_done(copy, task)
    assert large.stat().st_mtime_ns == kept
    assert gather_doses(copy, dataset) == before


def test_a_run_of_before_has_no_curve_and_several_attackers_are_averaged(smoke_run, tmp_path) -> None:
    copy = RunDirectory(Path(shutil.copytree(smoke_run.path, tmp_path / "run")), smoke_run.config)
    dataset = load_dataset(copy.config.data)
    seed = copy.config.seed + 1000
    twice = RunDirectory(copy.path, replace(copy.config, bench=replace(copy.config.bench, attacker_seeds=(seed, 5))))
    assert len(dose_specs(twice, dataset, "undefended")) == 2 * len(dose_specs(copy, dataset, "undefended"))
    for victim in dosed_victims(copy.config):
        for spec in dose_specs(copy, dataset, victim):
            assert spec.query_pool == digest_questions(spec.attack, dataset, seed)
            copy.cell(spec.digest()).unlink()
    assert gather_doses(copy, dataset) is None
