"""Responses against what was published: MAD's oracle by brute force, and the implementations in ART."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.answers.posteriors import random_codes
from tinycerb.answers.responses import parse_response, respond
from tinycerb.answers.responses.building_blocks.mad_subsets import best_subsets, objective, sets_with
from tinycerb.answers.responses.building_blocks.reverse_sigmoid_curve import UNITS, weight_table
from tinycerb.answers.responses.mad import deviations, surrogate_weights

# ART brings scikit-learn along: a process of its own.
_ART = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from art.defences.postprocessor import ReverseSigmoid, Rounded
y = np.load(sys.argv[1])
for beta, gamma in ((.1, .2), (.8, .2), (1, .1), (.5, .4), (.6, 2)):
    np.save(f"{sys.argv[2]}/rs-{beta}-{gamma}.npy", ReverseSigmoid(beta, gamma)(y))
for decimals in (1, 2):
    np.save(f"{sys.argv[2]}/rounded-{decimals}.npy", Rounded(decimals)(y))
"""


@pytest.fixture(scope="module")
def art(tmp_path_factory) -> Path:
    """Answers of ART's postprocessors to `random_codes(2000, 10, seed=1)` / 256."""
    folder = tmp_path_factory.mktemp("art")
    np.save(folder / "y.npy", random_codes(2000, 10, seed=1) / 256)
    command = [sys.executable, "-c", _ART, str(folder / "y.npy"), str(folder)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return folder


@pytest.mark.parametrize(("beta", "gamma"), [(0.1, 0.2), (0.8, 0.2), (1, 0.1), (0.5, 0.4), (0.6, 2)])
def test_reverse_sigmoid_is_the_one_of_art(art: Path, beta: float, gamma: float) -> None:
    codes = random_codes(2000, 10, seed=1)
    theirs = np.load(art / f"rs-{beta}-{gamma}.npy") * 256
    ours = respond(parse_response(f"rs,beta={beta},gamma={gamma}"), codes)
    # ART takes 1e-9 where a posterior is 0, TinyCerb 1/512: rows without zeros tell whether the formula is the same.
    exact = (codes > 0).all(axis=1)
    assert exact.sum() > 200
    # One for the largest remainder, a little for weights in 1/1024.
    assert np.abs(ours - theirs)[exact].max() < 1.3
    assert np.abs(ours - theirs)[exact].mean() < 0.4


def test_rounded_is_the_one_of_art(art: Path) -> None:
    codes = random_codes(2000, 10, seed=1)
    for decimals in (1, 2):
        theirs = np.load(art / f"rounded-{decimals}.npy")
        response = parse_response(f"rounding,decimals={decimals}")
        steps = response.steps[codes]  # type: ignore[attr-defined]
        assert (np.abs(steps / 10**decimals - theirs) < 1e-12).all()
        # ART leaves the sum as it comes; an answer of TinyCerb is the same with the sum restored.
        some = theirs.any(axis=1)
        scaled = (theirs / np.maximum(theirs.sum(axis=1, keepdims=True), 1e-9) * 256)[some]
        # One for the largest remainder, one for the label's place among equals.
        difference = np.abs(respond(response, codes)[some] - scaled)
        assert difference.max() < 2
        assert difference.mean() < 0.5


def test_reverse_sigmoid_is_the_paper_s_formula() -> None:
    every = np.clip(np.arange(256) / 256, 1 / 512, 1 - 1 / 512)
    for beta, gamma in ((0.3, 0.2), (0.8, 0.5), (2, 10)):
        noise = 1 / (1 + np.exp(-gamma * np.log(every / (1 - every)))) - 0.5
        expected = np.maximum(np.arange(256) / 256 - beta * noise, 0)
        assert np.abs(weight_table(beta, gamma) / UNITS - expected).max() <= 0.5 / UNITS + 1e-12


@pytest.mark.parametrize("surrogate", ["uniform", "dirichlet"])
@pytest.mark.parametrize("classes", [2, 3, 7, 10])
def test_mad_s_closed_form_is_the_brute_force_oracle(surrogate: str, classes: int) -> None:
    codes = random_codes(500, classes, seed=classes)
    weights = surrogate_weights(surrogate, 5, classes)
    p = weights / weights.sum()
    chosen = deviations(codes, weights).argmin(axis=1)
    values = np.array([objective(np.eye(classes), row / 256, p) for row in codes])
    best = values.max(axis=1)
    # Where the posterior is the surrogate's own the objective has no direction.
    clear = np.abs(codes / 256 - p).max(axis=1) > 1e-9
    assert (values[np.arange(500), chosen] >= best - 1e-6)[clear].all()
    if surrogate == "uniform":
        assert (chosen == codes.argmin(axis=1)).all()
    else:
        assert classes < 5 or (chosen != codes.argmin(axis=1)).mean() > 0.01


def test_mad_with_a_surrogate_per_question_is_the_brute_force_oracle_too() -> None:
    codes, surrogate = random_codes(300, 10, seed=1), random_codes(300, 10, seed=2).astype(np.int64) + 1
    chosen = deviations(codes, surrogate).argmin(axis=1)
    for row, weights, index in zip(codes, surrogate, chosen, strict=True):
        values = objective(np.eye(10), row / 256, weights / weights.sum())
        assert values[index] >= values.max() - 1e-6


def test_mad_mixes_in_proportion() -> None:
    """(1 - a) y + a e_k with a = epsilon / ||y - e_k||, every class within one unit."""
    codes = random_codes(1000, 10, seed=3)
    answers = respond(parse_response("mad,epsilon=.7"), codes) / 256
    target = np.eye(10)[codes.argmin(axis=1)]
    share = np.minimum(1, int(0.7 * 128) / 128 / np.abs(codes / 256 - target).sum(axis=1, keepdims=True))
    assert np.abs(answers - ((1 - share) * codes / 256 + share * target)).max() <= 2.01 / 256


def test_mad_that_preserves_the_label_finds_the_best_set() -> None:
    codes = random_codes(60, 6, seed=4)
    p = np.array([5, 1, 1, 1, 1, 1])
    found = best_subsets(codes, np.broadcast_to(p, codes.shape))
    for row, target in zip(codes, found, strict=True):
        sets = sets_with(int(row.argmax()), 6)
        assert sets.shape == (32, 6)
        values = objective(sets / sets.sum(axis=1, keepdims=True), row / 256, p / 10)
        chosen = objective((target > 1)[np.newaxis] / (target > 1).sum(), row / 256, p / 10)
        assert chosen[0] == pytest.approx(values.max())
        assert target[row.argmax()] == target.max()


def test_mad_that_preserves_the_label_among_many_classes_is_greedy() -> None:
    codes = random_codes(40, 30, seed=5)
    found = best_subsets(codes, np.ones_like(codes, np.int64))
    honest = np.array([objective(np.eye(30)[[row.argmax()]], row / 256, np.full(30, 1 / 30))[0] for row in codes])
    better = [
        objective((target > 0)[np.newaxis] / (target > 0).sum(), row / 256, np.full(30, 1 / 30))[0]
        for row, target in zip(codes, found, strict=True)
    ]
    assert (found[np.arange(40), codes.argmax(axis=1)] == found.max(axis=1)).all()
    assert (np.array(better) >= honest - 1e-9).all()
