"""The cost of the smoke run's victims, and of victims that only answer otherwise."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tinycerb.bench.metrics import build_metrics, gather_metrics
from tinycerb.cli.cost import _claimed_speeds
from tinycerb.reports.victim_table import victim_rows
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import write_json

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
        cycles = device["estimated_cycles"]
        assert cycles["basis"] == "estimated"
        assert cycles["cycles_low"] < cycles["cycles"] < cycles["cycles_high"]
        # No instruction takes less than a cycle; the draw is not in it.
        assert cycles["cycles_low"] > device["instructions_per_inference"] - device["instructions_after_network"]
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


def test_metrics_and_report_take_over_what_a_device_costs(smoke_run, tmp_path: Path) -> None:
    """Instructions as measured, cycles as an estimate with its band; without costs nothing is said of a device."""
    run = RunDirectory.open(Path(shutil.copytree(smoke_run.path, tmp_path / "run")))
    names = [victim.name for victim in run.config.victims]
    before = build_metrics(run)
    assert [before["victims"][name].get("device") for name in names] == [None] * len(names)
    assert not any("cycles" in str(row) for row in victim_rows(before, names)[0])
    assert any(note.startswith("No board: ") for note in before["not_measured"])
    cycles = {"basis": "estimated", "cycles": 2_000_000, "cycles_low": 1_600_000, "cycles_high": 2_400_000}
    device = {"deployable": True, "instructions_per_inference": 1_234_567, "estimated_cycles": cycles}
    reasons = {"basis": "not estimated", "reason": "no cycles"}
    devices = [device, *({**device, "estimated_cycles": reasons} for _ in names[1:])]
    costs = {name: {"device": each} for name, each in zip(names, devices, strict=True)}
    write_json(run.costs, {"board": "qemu-m4", "victims": costs})
    gather_metrics(run)
    found = json.loads(run.metrics.read_text())
    rows = {row[0]: row[1:] for row in victim_rows(found, names)[0]}
    assert rows["qemu-m4: instructions"] == ["1,234,567"] * len(names)
    assert rows["cycles: an ESTIMATE (band)"] == ["2.00 M (1.60 - 2.40)", *["-"] * (len(names) - 1)]
    assert found["victims"][names[0]]["device"] == {"basis": "measured", "board": "qemu-m4", **device}
    (note,) = (note for note in found["not_measured"] if "cycles" in note)
    assert "cycles are an estimate with a band" in note
