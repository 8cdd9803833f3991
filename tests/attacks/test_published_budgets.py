"""Attacks with a share of the calls that they were published with say which share that is."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.bench.test_clones import SPEC
from tinycerb.attacks.published_budgets import published_calls, scaled_down
from tinycerb.bench.metrics import _not_measured
from tinycerb.config import AttackConfig, load_config
from tinycerb.matrix.cells import MatrixCell
from tinycerb.matrix.results import _scaled_down
from tinycerb.presets import preset_names
from tinycerb.reports.matrix.results import Results
from tinycerb.reports.matrix.tables import notes
from tinycerb.run.directory import RunDirectory

MAZE = AttackConfig("maze-lite", attack="maze", query_pool="none", budget=200_000)
EXPERIMENT = Path(__file__).parents[2] / "docs" / "experiments" / "data-free-lite.toml"
NOWHERE = cast(RunDirectory, SimpleNamespace())


def test_the_share_by_hand() -> None:
    (said,) = scaled_down([MAZE], "fashion_mnist")
    assert said == ("maze-lite is scaled down: 200,000 of the 5,000,000 calls that maze was published with (4 %).")
    dfme = replace(MAZE, name="dfme-lite", attack="dfme")
    (said,) = scaled_down([dfme], "cifar10")
    assert said.endswith("200,000 of the 20,000,000 calls that dfme was published with (1 %).")
    assert "of the 2,000,000 calls" in scaled_down([dfme], "svhn")[0]
    assert "(0.3 %)" in scaled_down([replace(dfme, attack="disguide", budget=60_000)], "user")[0]


def test_who_asks_as_much_and_attacks_of_few_calls_say_nothing() -> None:
    assert scaled_down([replace(MAZE, budget=5_000_000)], "fashion_mnist") == []
    assert scaled_down([AttackConfig("knockoff"), AttackConfig("jbda", attack="jbda", budget=10)], "cifar10") == []
    assert published_calls("knockoff", "cifar10") is None


def test_a_matrix_tells_it_of_each_attacks_largest_budget_and_else_has_no_key_of_it() -> None:
    def cell(attack: AttackConfig) -> MatrixCell:
        return MatrixCell(NOWHERE, replace(SPEC, attack=attack), "T1", 0)

    cells = [cell(replace(MAZE, budget=budget)) for budget in (50_000, 200_000, 100_000)]
    assert _scaled_down(cells, "fashion_mnist") == {"scaled_down": scaled_down([MAZE], "fashion_mnist")}
    assert _scaled_down([cell(AttackConfig("knockoff"))], "fashion_mnist") == {}


@pytest.mark.parametrize("source", [*preset_names(), str(EXPERIMENT)])
def test_every_attack_that_is_scaled_down_is_called_lite(source: str) -> None:
    config = load_config(source)
    said = scaled_down(config.attacks, config.data.name)
    assert all(sentence.partition(" ")[0].endswith("-lite") for sentence in said)
    assert len(said) == sum(attack.attack in ("disguide", "dfme", "maze") for attack in config.attacks)


def test_the_matrix_table_says_it_below() -> None:
    results = {
        "cells_done": 1, "cells_in_all": 1, "victim_seeds": [1], "attacker_seeds": [2], "threats": {}, "skipped": [],
        "failures": [], "victims": {}, "scaled_down": ["maze-lite is scaled down."],
    }  # fmt: skip
    assert "maze-lite is scaled down." in notes(cast(Results, results))
    del results["scaled_down"]
    assert not [note for note in notes(cast(Results, results)) if "scaled" in note]


def test_the_report_says_it_of_a_run(tmp_path: Path) -> None:
    run = RunDirectory.create(load_config(str(EXPERIMENT)), tmp_path / "run", force=False)
    said = _not_measured(run, {})
    assert [sentence for sentence in said if "scaled down" in sentence] == scaled_down(
        run.config.attacks, "fashion_mnist"
    )
    assert len(run.config.attacks) == 3
