"""The cost of the smoke run's victims, and of victims that only answer otherwise."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tinycerb.cli.cost import _claimed_speeds

MEASURE = """
import json, sys
from pathlib import Path
from tinycerb.bench.cost import measure_costs
from tinycerb.events import ignore
from tinycerb.run.directory import RunDirectory
print(json.dumps(measure_costs(RunDirectory.open(Path(sys.argv[1])), "animal_mnist", 100, ignore)))
"""


def epoch_times(folder: Path) -> list[list[str]]:
    return list(csv.reader((folder / "epoch_times.csv").read_text().splitlines()))


def test_every_victim_has_its_costs(smoke_run, run_child) -> None:
    found = json.loads(run_child(MEASURE, smoke_run.path))["victims"]
    plain, cerberos = found["undefended"], found["cerberos"]
    assert plain["training_factor"] == 1
    assert (plain["l1_benign_mean"], plain["l1_queries_max"]) == (0, 0)
    assert 0 < cerberos["l1_queries_mean"] <= cerberos["l1_queries_max"] <= 2
    assert 0 < cerberos["host_response_us_p50"] < cerberos["host_query_us_p50"]
    for victim in (plain, cerberos):
        device = victim["device"]
        assert device["deployable"]
        assert 0 < device["instructions_after_network"] < device["instructions_per_inference"]
        assert device["flash_bytes"] > 10_000
    rows = epoch_times(smoke_run.victim("cerberos"))
    assert {row[0] for row in rows} == {"prune", "recover", "quantize"}
    own = sum(float(row[2]) for row in rows)
    dense = sum(float(row[2]) for row in epoch_times(smoke_run.dense("cerberos")))
    assert cerberos["training_seconds"] == pytest.approx(own + dense)


def test_the_papers_speeds_are_measured_as_ratios() -> None:
    times = {"grad2": 500.0, "dcp": 50.0, "none": 40.0}
    victims: Any = {name: {"host_query_us_p50": time} for name, time in times.items()}
    (sentence,) = _claimed_speeds(victims)
    assert sentence.startswith("dcp answers 10.0 times as fast as grad2 (its paper: 37 times")
    assert _claimed_speeds({"dcp": victims["dcp"]}) == []
