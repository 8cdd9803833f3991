"""The rows that every defence is read beside, on made-up cells."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.matrix.test_judging import row
from tinycerb.config import AttackConfig, VictimConfig, load_config
from tinycerb.datasets.images import Dataset
from tinycerb.matrix.reference_rows import ReferenceRow, reference_rows

CONFIG = replace(
    load_config("smoke"),
    victims=(
        VictimConfig("undefended"),
        VictimConfig("control", channel_ratio=0.5),
        VictimConfig("labels", response="top1"),
        VictimConfig("rounded", channel_ratio=0.5, response="rounding,decimals=1"),
        VictimConfig("cerberos", defense="cerberos", channel_ratio=0.5, options={"heads": 3}),
    ),
    attacks=(AttackConfig("knockoff"), AttackConfig("own", query_pool="in_distribution")),
)
DATA = cast(Dataset, SimpleNamespace(classes=8))
ROWS = [
    row("undefended", 0.8, untrained_accuracy=0.12),
    row("undefended", 0.7, untrained_accuracy=0.16),
    row("undefended", 0.85, "own", threat="T2"),
    row("control", 0.75),
    row("labels", 0.66),
    row("rounded", 0.77),
    row("cerberos", 0.4, untrained_accuracy=None),
    row("cerberos", 0.5, mean_head=True),
    row("cerberos", 0.6, mean_head=True, victim_seed=2),
    row("cerberos", 0.83, "own", threat="T2", mean_head=True),
]


def found(config=CONFIG, rows=ROWS) -> dict[str, ReferenceRow]:
    victims: Any = {
        victim.name: {"accuracy": {"mean": 0.9 - index / 100}, "float_accuracy": 0.91}
        for index, victim in enumerate(config.victims)
    }
    return {each["row"]: each for each in reference_rows(config, rows, victims, DATA)}


def test_every_row_has_its_figures() -> None:
    rows = found()
    figures = {name: (each["accuracy"], each["stolen"]) for name, each in rows.items()}
    assert figures == {
        "undefended, float": (0.91, {}),
        "undefended, int8": (0.9, {"T1": 0.8, "T2": 0.85}),
        "pruned, one head": (0.89, {"T1": 0.75}),
        "labels alone (top-1)": (0.88, {"T1": 0.66}),
        "rounding": (0.87, {"T1": 0.77}),
        "mean head": (None, {"T1": 0.6, "T2": 0.83}),
        "own-kind images alone": (None, {"T2": 0.85}),
        "no question asked": (None, {"T1": pytest.approx((0.12 + 0.16 + 7 * 0.1) / 9)}),
        "random guess": (0.125, {"T1": 0.125, "T2": 0.125}),
    }
    assert {rows[name]["what"] for name in ("pruned, one head", "rounding")} == {"control", "rounded"}


def test_what_is_missing_says_how_to_get_it() -> None:
    config = replace(CONFIG, victims=CONFIG.victims[:1], attacks=CONFIG.attacks[:1])
    rows = found(config, [])
    assert {name: each["what"] for name, each in rows.items() if each["what"].startswith("missing")} == {
        "pruned, one head": "missing: add a victim with channel_ratio above 0 alone",
        "labels alone (top-1)": 'missing: add a victim with response = "top1"',
        "rounding": 'missing: add a victim with response = "rounding"',
        "mean head": "missing: no victim with several heads",
        "own-kind images alone": "missing: add an attack with query_pool = 'in_distribution'",
    }
    assert all(each["stolen"] == {} for name, each in rows.items() if name != "random guess")


@pytest.mark.parametrize(
    "victim",
    [
        VictimConfig("v", channel_ratio=0.5, response="top1"),
        VictimConfig("v", channel_ratio=0.5, defense="cerberos", options={"heads": 3}),
        VictimConfig("v"),
    ],
)
def test_a_control_is_pruned_and_nothing_else(victim: VictimConfig) -> None:
    assert found(replace(CONFIG, victims=(*CONFIG.victims[:1], victim)))["pruned, one head"]["accuracy"] is None
