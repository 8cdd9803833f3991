"""The leak against its definition, and on the smoke run."""

import json

import numpy as np
import pytest

from tinycerb.bench.leak import normalised_information
from tinycerb.cli.leak import leak
from tinycerb.datasets.procedural import FAMILIES


def test_a_permutation_of_the_classes_leaks_everything_and_chance_nothing() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, 5000)
    assert normalised_information(rng.permutation(10)[truth], truth) == pytest.approx(1)
    assert normalised_information(rng.integers(0, 10, 5000), truth) == pytest.approx(0, abs=0.01)
    assert normalised_information(truth * 0, truth) is None


def test_by_hand() -> None:
    """Two fair coins that agree three times out of four."""
    first, second = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1, 1, 0])
    agreement = 0.75 * np.log(0.75) + 0.25 * np.log(0.25)
    assert normalised_information(first, second) == pytest.approx(1 + agreement / np.log(2))


def test_entropies_that_differ_share_the_denominator() -> None:
    """Four labels that tell one of two: information log 2 over the mean of log 4 and log 2."""
    four, two = np.arange(400) % 4, np.arange(400) % 2
    assert normalised_information(four, two) == pytest.approx(2 / 3)
    assert normalised_information(two, four) == pytest.approx(2 / 3)


MEASURE = """
import json, sys
from pathlib import Path
from tinycerb.bench.leak import measure_leak
from tinycerb.run_dir import RunDirectory
print(json.dumps(measure_leak(RunDirectory.open(Path(sys.argv[1])), 400, sure_above=0.3)))
"""


def test_every_held_out_family_of_a_run(smoke_run, run_apart) -> None:
    found = json.loads(run_apart(MEASURE, smoke_run.path))["families"]
    assert set(found) == set(FAMILIES) - set(smoke_run.config.out_of_distribution.families)
    assert len(found) >= 6
    told = [row for row in found.values() if row["sure_images"] >= 50]
    assert told, "the undefended network is somewhat sure of something"
    for row in told:
        # The baseline leaks itself wholly.
        assert row["victims"]["undefended"]["leak_answer"] in (None, pytest.approx(1))
        defended = row["victims"]["cerberos"]
        assert defended["agreement_answer"] <= 1
        assert 0 <= (defended["leak_mean_head"] or 0) < 1


def test_the_table_says_what_is_good(monkeypatch, capsys, smoke_run) -> None:
    victim = {"leak_answer": 0.25, "leak_mean_head": None}
    family = {"sure_images": 1234, "trained_on": False, "victims": {"undefended": victim}}
    monkeypatch.setattr("tinycerb.bench.leak.measure_leak", lambda *arguments: {"families": {"glyphs": family}})
    leak(smoke_run.path)
    told = capsys.readouterr().out
    assert "0.25 / -" in told
    assert "0: answers off the task say nothing" in told
    assert "Leak ranks no defences" in told
