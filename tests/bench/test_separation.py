"""Separation: what is told from the task, and what that promises."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tinycerb.bench.separation import auroc
from tinycerb.bench.separation_verdict import (
    WORDS,
    Pair,
    leave_tasks_out,
    measured_pairs,
    pack_pairs,
    thresholds,
    thresholds_of,
)
from tinycerb.reports.plain_words import separation_sentence


def pair(task: str, separation: float, points: float, calibrates: bool = True, undefended: float = 0.7) -> Pair:
    return Pair(task, "pool", calibrates, separation, 0.5, 0.2, undefended, undefended - points / 100, 0.1)


FAR = [pair("far", 0.9, 20), pair("far", 0.95, 30), pair("far", 0.8, 7)]
NEAR = [pair("near", 0.6, 1), pair("near", 0.7, 2), pair("near", 0.86, 14)]


def test_auroc_counts_pairs_in_the_right_order() -> None:
    assert auroc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1.0
    assert auroc(np.array([1.0]), np.array([1.0, 1.0])) == 0.5
    rng = np.random.default_rng(0)
    own, foreign = rng.integers(0, 9, 50), rng.integers(-3, 6, 40)
    difference = own[:, np.newaxis] - foreign
    assert auroc(own, foreign) == pytest.approx(((difference > 0) + 0.5 * (difference == 0)).mean())


def test_thresholds_lie_between_what_was_and_what_was_not_misdirected() -> None:
    found = thresholds_of([*FAR, *NEAR])
    assert (found.may, found.will) == pytest.approx((0.75, 0.83))
    assert [WORDS[found.judge(separation)] for separation in (0.6, 0.78, 0.9)] == ["will not", "may", "will"]


def test_pools_that_judge_and_attacks_that_copy_nothing_move_no_threshold() -> None:
    wanted = thresholds_of([*FAR, *NEAR])
    judges = [pair("near", 0.99, 0, calibrates=False)] * 5
    weak = [pair("near", 0.99, 0, undefended=0.29)] * 5
    assert thresholds_of([*FAR, *NEAR, *judges, *weak]) == wanted
    assert thresholds_of([*FAR, *NEAR, *(replace(judge, calibrates=True) for judge in judges)]) != wanted


def test_without_a_pair_that_was_misdirected_nothing_is_promised() -> None:
    assert thresholds_of(NEAR[:2]).judge(0.999) == 0


def test_an_error_is_that_of_the_other_tasks_thresholds() -> None:
    far, near = leave_tasks_out([*FAR, *NEAR])
    assert (far.task, far.pairs) == ("far", 3)
    # NEAR alone puts both between .7 and .86: the pair of .8 is promised more than came of it.
    assert (far.wrong, far.promised_too_much) == (1, 1)
    # FAR alone has none that failed: from .5 on it promises something.
    assert (near.task, near.wrong, near.promised_too_much) == ("near", 2, 2)


def test_the_pairs_of_the_package_come_from_no_pool_that_judges() -> None:
    pairs = measured_pairs()
    assert json.loads(pack_pairs(pairs))["pairs"][0]["task"] == pairs[0].task
    calibrating = {each.pool for each in pairs if each.calibrates}
    assert all(pool.startswith("drawn-") or pool == "tiny_imagenet_defender" for pool in calibrating)
    assert len({each.task for each in pairs}) >= 2
    assert 0.5 < thresholds().may <= thresholds().will <= 1
    assert all(
        thresholds().judge(each.separation) == each.outcome
        for each in pairs
        if each.task == "cifar10" and each.says_something
    )


def test_the_sentence_says_the_verdict_and_the_better_score() -> None:
    found = {"images": 1000, "auroc_confidence": 0.6, "auroc_features": 0.68}
    sentence = separation_sentence("cats.npz", "will not", found)  # type: ignore[arg-type]
    assert "images like cats.npz will not be misdirected" in sentence
    assert "AUROC of 0.68" in sentence


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
