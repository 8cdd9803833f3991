"""From cells to claims."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tinycerb.bench import metrics
from tinycerb.bench.verdict import gates, judge
from tinycerb.config import Config, VictimConfig, load_config
from tinycerb.run.directory import RunDirectory

CONFIG = load_config("demo", ['attacks=[{name="knockoff"}]'])


def cell(accuracy: float, student: str = "plain_cnn", selection: str = "random", attack: str = "knockoff") -> Any:
    """A clone whose best epoch, which nobody may choose by, is the better the worse its last one is."""
    return {
        "attack": attack,
        "student": student,
        "selection": selection,
        "clone_accuracy": accuracy,
        "clone_accuracy_oracle_best": 1 - accuracy / 10,
    }


def victims(undefended: float, cerberos: list[Any]) -> Any:
    return {
        "undefended": {"accuracy_expected": 0.9, "cells": [cell(undefended), cell(0.1, "batchnorm_cnn")]},
        "pruned": {"accuracy_expected": 0.88, "cells": [cell(0.7)]},
        "cerberos": {"accuracy_expected": 0.88, "cells": cerberos},
    }


THREATS = {attack.name: "T1" for attack in CONFIG.attacks}


def test_the_attackers_maximum_counts_mean_head_included() -> None:
    verdict = judge(CONFIG, victims(0.8, [cell(0.5), cell(0.6, selection="mean")]), THREATS)["T1"]
    case = verdict["victims"]["cerberos"]
    assert verdict["conclusive"]
    assert (case["clone_accuracy"], case["selection"]) == (0.6, "mean")
    assert case["clone_accuracy_oracle_best"] == pytest.approx(0.94)
    assert case["points_below_baseline"] == pytest.approx(20)
    assert verdict["victims"]["undefended"]["points_below_baseline"] == 0
    assert verdict["victims"]["pruned"]["points_below_baseline"] == pytest.approx(10)
    assert verdict["meaning"] == "the attacker has images of another kind"


@pytest.mark.parametrize(("undefended", "valid"), [(0.7201, True), (0.7199, False)])
def test_a_weak_attack_supports_no_claim(undefended: float, valid: bool) -> None:
    verdict = judge(CONFIG, victims(undefended, [cell(0.2)]), THREATS)["T1"]
    assert verdict["bar"] == pytest.approx(0.72)
    assert verdict["conclusive"] is valid
    assert verdict["attacks"] == [
        {"attack": "knockoff", "baseline_clone_accuracy": pytest.approx(undefended), "valid": valid}
    ]


def test_a_bar_that_is_just_reached_is_reached() -> None:
    table = victims(0.72, [cell(0.2)])
    table["undefended"]["accuracy_expected"] = 1.0
    config = replace(CONFIG, bench=replace(CONFIG.bench, validity=0.72))
    assert judge(config, table, THREATS)["T1"]["conclusive"]


def test_a_clone_better_than_the_baselines_stands_above_it() -> None:
    verdict = judge(CONFIG, victims(0.75, [cell(0.78)]), THREATS)["T1"]
    assert verdict["victims"]["cerberos"]["points_below_baseline"] == pytest.approx(-3)


def test_an_invalid_attack_may_raise_the_figure() -> None:
    """It never supports a claim, but a clone is a clone."""
    table = victims(0.8, [cell(0.3), cell(0.75, attack="weak")])
    table["undefended"]["cells"].append(cell(0.2, attack="weak"))
    table["pruned"]["cells"].append(cell(0.2, attack="weak"))
    base = CONFIG.attacks[0]
    config = replace(CONFIG, attacks=(base, replace(base, name="weak")))
    verdict = judge(config, table, {"knockoff": "T1", "weak": "T1"})["T1"]
    assert [attack["valid"] for attack in verdict["attacks"]] == [True, False]
    assert verdict["victims"]["cerberos"]["clone_accuracy"] == 0.75


def test_threat_classes_are_never_mixed() -> None:
    base = CONFIG.attacks[0]
    config = replace(CONFIG, attacks=(base, replace(base, name="own", query_pool="in_distribution")))
    table = victims(0.8, [cell(0.3), cell(0.85, attack="own")])
    for name in ("undefended", "pruned"):
        table[name]["cells"].append(cell(0.86, attack="own"))
    verdicts = judge(config, table, {"knockoff": "T1", "own": "T2"})
    assert verdicts["T1"]["victims"]["cerberos"]["clone_accuracy"] == 0.3
    assert verdicts["T2"]["victims"]["cerberos"]["clone_accuracy"] == 0.85


def test_gates() -> None:
    config = replace(
        CONFIG,
        victims=(
            VictimConfig("undefended", minimum_accuracy=0.88),
            VictimConfig("pruned"),
            VictimConfig("cerberos", minimum_accuracy=0.87, maximum_flash_share=0.55),
        ),
    )

    def missed(accuracy: float, share: float) -> list[str]:
        figures: Any = {
            "accuracy_expected": accuracy,
            "flash_share_of_baseline": share,
            "flash_bytes": 1000,
            "arena_bytes": None,
        }
        return gates(config, {victim.name: figures for victim in config.victims})

    assert missed(0.88, 0.55) == []
    assert [gate.split(":")[0] for gate in missed(0.87, 0.55)] == ["undefended"]
    assert [gate.split(":")[0] for gate in missed(0.869, 0.5)] == ["undefended", "cerberos"]
    (large,) = missed(0.9, 0.56)
    assert large.startswith("cerberos: the file has 56.0%")


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"flash_bytes": 1000, "ram_bytes": 500}, []),
        ({"flash_bytes": 999}, ["the file takes 1,000 bytes, its budget is 999"]),
        ({"ram_bytes": 499}, ["the arena takes 500 bytes, its budget is 499"]),
    ],
)
def test_budgets_are_gates(budget, said) -> None:
    config = replace(CONFIG, victims=(VictimConfig("undefended", **budget),))
    figures: Any = {"accuracy_expected": 0.9, "flash_share_of_baseline": 1.0, "flash_bytes": 1000, "arena_bytes": 500}
    assert [gate.removeprefix("undefended: ") for gate in gates(config, {"undefended": figures})] == said


def test_an_arena_that_was_not_measured_is_no_arena_that_fits() -> None:
    config = replace(CONFIG, victims=(VictimConfig("undefended", ram_bytes=499),))
    figures: Any = {"accuracy_expected": 0.9, "flash_share_of_baseline": 1.0, "flash_bytes": 1000, "arena_bytes": None}
    assert gates(config, {"undefended": figures}) == ["undefended: the arena was not measured, its budget is 499"]


def run_of(*parts: Any) -> Any:
    return RunDirectory(Path("nowhere"), Config(*parts))


def test_a_report_says_what_pruning_costs_in_protection() -> None:
    """Where a training part works on drawn images, and which victims are concerned; nothing where there is none."""
    undefended = VictimConfig("undefended", channel_ratio=0.5)
    whole, half = (VictimConfig(name, "misdirection", ratio) for name, ratio in (("whole", 0.0), ("half", 0.5)))
    (note,) = metrics._pruning(run_of("test", (undefended, whole, half), ()))
    assert "Pruning costs protection" in note
    assert note.endswith("with a training part: half.")
    (note,) = metrics._pruning(run_of("test", (undefended, whole), ()))
    assert note.endswith("with a training part: none.")
    assert metrics._pruning(run_of("test", (undefended,), ())) == []
