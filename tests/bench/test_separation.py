"""Separation: what is told from the task, and what that promises."""

import json
import math
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from tinycerb.bench import run_separation
from tinycerb.bench.run_separation import measure_pools, pools_of
from tinycerb.bench.separation import auroc, fewer_features
from tinycerb.bench.separation_verdict import (
    WORDS,
    Pair,
    leave_tasks_out,
    measured_pairs,
    pack_pairs,
    thresholds,
    thresholds_of,
)
from tinycerb.config import load_config
from tinycerb.config.user_sources import NO_POOL
from tinycerb.datasets import load_dataset
from tinycerb.errors import UsageError
from tinycerb.reports.facts import verdict_sentences
from tinycerb.reports.metrics import Metrics, PoolSeparation
from tinycerb.reports.plain_words import plain_verdict
from tinycerb.reports.separation_text import separation_sentences
from tinycerb.runtimes.last_features import NoFeaturesError
from tinycerb.runtimes.model_artifact import ModelArtifact
from tinycerb.seal.files import read_json


def pair(task: str, separation: float, points: float, calibrates: bool = True, undefended: float = 0.7) -> Pair:
    return Pair(task, "pool", calibrates, separation, 0.5, 0.2, undefended, undefended - points / 100, 0.1)


FAR = [pair("far", 0.9, 20), pair("far", 0.95, 30), pair("far", 0.85, 14)]
NEAR = [pair("near", 0.6, 1), pair("near", 0.7, 2), pair("near", 0.65, 3)]
BOTH = [*FAR, *NEAR]


def test_auroc_counts_pairs_in_the_right_order() -> None:
    assert auroc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1.0
    assert auroc(np.array([1.0]), np.array([1.0, 1.0])) == 0.5
    rng = np.random.default_rng(0)
    own, foreign = rng.integers(0, 9, 50), rng.integers(-3, 6, 40)
    difference = own[:, np.newaxis] - foreign
    assert auroc(own, foreign) == pytest.approx(((difference > 0) + 0.5 * (difference == 0)).mean())


def test_the_two_pairs_next_to_one_of_another_word_leave_a_margin() -> None:
    found = thresholds_of(BOTH)
    assert (found.will_not, found.will) == (0.6, 0.95)
    words = [WORDS[found.judge(separation)] for separation in (0.55, 0.6, 0.65, 0.8, 0.94, 0.95, 1.0)]
    assert words == ["will not", "will not", "may", "may", "may", "will", "will"]


def test_a_pair_that_contradicts_ends_the_promise() -> None:
    assert thresholds_of([*BOTH, pair("far", 0.59, 20)]).will_not == 0.0
    assert thresholds_of([*BOTH, pair("near", 0.96, 1)]).will == math.inf
    # Between the words, neither.
    assert thresholds_of([*BOTH, pair("far", 0.62, 7)]) == replace(thresholds_of(BOTH), will_not=0.0)


def test_pools_that_judge_and_attacks_that_copy_nothing_move_no_threshold() -> None:
    wanted = thresholds_of(BOTH)
    judges = [pair("near", 0.99, 0, calibrates=False)] * 5
    weak = [pair("near", 0.99, 0, undefended=0.29)] * 5
    assert thresholds_of([*BOTH, *judges, *weak]) == wanted
    assert thresholds_of([*BOTH, *(replace(judge, calibrates=True) for judge in judges)]) != wanted


def test_without_a_pair_that_was_misdirected_nothing_is_promised() -> None:
    assert thresholds_of(NEAR).judge(0.999) == 1
    assert thresholds_of([]).judge(0.5) == 1


def test_an_error_is_that_of_the_other_tasks_thresholds() -> None:
    far, near = leave_tasks_out([*BOTH, pair("near", 0.97, 1), pair("far", 0.55, 30)])
    # NEAR alone has none that was protected: it says what will not be up to .6, and one was.
    assert (far.task, far.pairs, far.wrong, far.promised_too_much, far.unsure) == ("far", 4, 1, 0, 3)
    # FAR alone promises from .95 on, where one failed.
    assert (near.task, near.pairs, near.wrong, near.promised_too_much, near.unsure) == ("near", 4, 1, 1, 3)


def test_the_pairs_of_the_package_come_from_no_pool_that_judges() -> None:
    pairs = measured_pairs()
    assert json.loads(pack_pairs(pairs))["pairs"][0]["task"] == pairs[0].task
    calibrating = {each.pool for each in pairs if each.calibrates}
    assert all(pool.startswith("drawn-") or pool == "tiny_imagenet_defender" for pool in calibrating)
    assert len({each.task for each in pairs}) >= 2
    assert 0.5 < thresholds().will_not < thresholds().will
    judged = [each for each in pairs if each.says_something]
    assert all(thresholds().judge(each.separation) in (1, each.outcome) for each in judged if each.calibrates)


def told(pool: str, verdict: str, area: float) -> PoolSeparation:
    return {"pool": pool, "verdict": verdict, "images": 1000, "auroc_confidence": area, "auroc_features": area - 0.1}


def test_sentences_say_the_verdict_and_the_better_score_the_worst_first() -> None:
    pools = [told("animal_mnist x3", "may", 0.92), told("/a/cats.npz", "will not", 0.68), told("dogs", "will not", 0.6)]
    (status, worst), (_, other) = separation_sentences(pools)
    assert status == "bad"
    assert "images like cats.npz or dogs will not be misdirected" in worst
    assert "AUROC of 0.60 to 0.68" in worst
    assert "animal_mnist x3 may be" in other
    assert "AUROC of 0.92." in other


def test_a_run_says_it_of_every_pool_at_its_end_and_in_its_report(smoke_run) -> None:
    metrics = cast(Metrics, read_json(smoke_run.metrics))
    (found,) = metrics.get("separation", [])
    assert found["pool"] == "animal_mnist"
    assert 0.5 < max(found["auroc_confidence"], found["auroc_features"]) <= 1
    (sentence,) = separation_sentences(metrics.get("separation", []))
    assert sentence in plain_verdict(metrics, "cerberos")
    assert sentence in plain_verdict(metrics, "undefended")
    assert sentence in verdict_sentences(metrics)
    measured = {name: read_json(victim.files.measurements) for name, victim in smoke_run.victims.items()}
    assert [name for name, each in measured.items() if "separation" in each] == [smoke_run.config.bench.baseline]


def test_only_pictures_of_another_kind_are_measured_each_pool_once() -> None:
    config = load_config("smoke")
    (attack,) = config.attacks
    own, nothing, again, copied, file = (
        replace(attack, name=f"attack-{index}", query_pool=pool, pool_copies=copies)
        for index, (pool, copies) in enumerate(
            [("in_distribution", 0), (NO_POOL, 0), ("animal_mnist", 0), ("drawn-glyphs", 2), ("/a/cats.npz", 0)]
        )
    )
    assert list(pools_of(replace(config, attacks=(own, nothing)))) == []
    found = pools_of(replace(config, attacks=(attack, own, nothing, again, copied, file)))
    assert list(found) == ["animal_mnist", "drawn-glyphs x3", "cats.npz"]


def test_a_network_without_features_goes_without_the_hint_and_a_fault_is_none(monkeypatch) -> None:
    config, dataset = load_config("smoke"), load_dataset(load_config("smoke").data)
    artifact = cast(ModelArtifact, None)

    def raising(error: Exception):
        def know(*_: object) -> None:
            raise error

        return know

    monkeypatch.setattr(run_separation, "know_task", raising(NoFeaturesError("none")))
    assert measure_pools(config, artifact, dataset) == {}
    monkeypatch.setattr(run_separation, "know_task", raising(UsageError("another")))
    with pytest.raises(UsageError, match="another"):
        measure_pools(config, artifact, dataset)


def test_more_features_than_images_are_projected() -> None:
    rng = np.random.default_rng(3)
    readings = rng.normal(size=(5, 9000))
    found = fewer_features(readings)
    assert found.shape == (5, 512)
    assert np.array_equal(found, fewer_features(readings))
    # Distances stay, as in Johnson and Lindenstrauss's lemma.
    distances, kept = (np.linalg.norm(each[:1] - each[1:], axis=1) for each in (readings, found))
    assert kept == pytest.approx(distances, rel=0.15)
    assert np.array_equal(fewer_features(readings[:, :512]), readings[:, :512])


def test_the_command_tells_noise_from_the_task_and_own_images_not(smoke_run, cli, tmp_path) -> None:
    pools = ("--pool", "in_distribution", "--pool", "drawn-blurred_noise")
    finished = cli("bench", "separation", smoke_run.path, *pools, "--json")
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)["pools"]
    own, noise = (found[name] for name in pools[1::2])
    assert abs(own["auroc_confidence"] - 0.5) < 0.1
    assert abs(own["auroc_features"] - 0.5) < 0.1
    assert own["verdict"] == "will not"
    assert max(noise["auroc_confidence"], noise["auroc_features"]) > 0.8
    assert set(own["equal_labels"]) == {"cerberos"}
    model = smoke_run.model("undefended")
    alone = cli("bench", "separation", model, "--data", "fashion_mnist", "--pool", "drawn-blurred_noise", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    assert "be misdirected: the undefended network tells them" in " ".join(alone.stdout.split())
    assert max(map(len, alone.stdout.splitlines())) <= 80
    refused = cli("bench", "separation", model, "--pool", "in_distribution")
    assert refused.returncode == 2
    assert "give --data DATA" in refused.stderr
