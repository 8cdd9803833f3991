"""What a cell makes of a clone, on made-up answers: which epoch counts, distances by hand, whose images are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinycerb.bench.cell import CellSpec, load_in_distribution, threat_class
from tinycerb.bench.cell_inputs import CellInputs
from tinycerb.bench.stealing import _result, compare_clone, compute_cell
from tinycerb.config import AttackConfig
from tinycerb.datasets.images import Dataset, LabelledImages, image_fingerprints
from tinycerb.errors import UsageError
from tinycerb.events import ignore

POOL = np.random.default_rng(0).integers(0, 256, (30, 4, 4, 1), dtype=np.uint8)
KNOCKOFF = AttackConfig("knockoff")
INPUTS = CellInputs(
    model=Path("nowhere.tflite"),
    response="none",
    classes=2,
    pool=POOL[:20],
    in_distribution=POOL[20:],
    test=LabelledImages(POOL[:4], np.array([0, 0, 1, 1])),
    victim_labels=np.array([0, 1, 1, 1]),
    victim_answers=np.array([[1, 0], [0.5, 0.5], [0.25, 0.75], [0, 1]], np.float32),
    fingerprints=np.zeros(0, np.uint64),
)
CLONE = np.array([[0.5, 0.5], [0.75, 0.25], [0.75, 0.25], [0, 1]], np.float32)


def test_the_last_epoch_counts_and_the_best_one_stands_beside_it() -> None:
    curve = [
        {"epoch": 1, "clone_accuracy": 0.4, "agreement_with_victim": 0.1},
        {"epoch": 2, "clone_accuracy": 0.9, "agreement_with_victim": 0.8},
        {"epoch": 3, "clone_accuracy": 0.6, "agreement_with_victim": 0.3},
    ]
    assert _result(curve, 600) == {
        "clone_accuracy": 0.6,
        "agreement_with_victim": 0.3,
        "clone_accuracy_oracle_best": 0.9,
        "queries_charged": 600,
        "curve": curve,
    }


def test_a_clone_is_compared_with_the_truth_and_with_the_victim() -> None:
    """The clone says 0, 0, 0, 1; the truth is 0, 0, 1, 1 and the victim says 0, 1, 1, 1."""
    figures = compare_clone(CLONE, INPUTS)
    assert (figures["clone_accuracy"], figures["agreement_with_victim"]) == (0.75, 0.5)
    # In nats: log 2; half log 2/3 and half log 2; a quarter log 1/3 and three quarters log 3; nothing.
    kl = np.log(2) + (np.log(2 / 3) + np.log(2)) / 2 + (np.log(1 / 3) + 3 * np.log(3)) / 4
    assert figures["kl_to_victim"] == pytest.approx(kl / 4, abs=1e-5)
    assert figures["l1_to_victim"] == pytest.approx((1 + 0.5 + 1 + 0) / 4)


def test_a_label_that_the_clone_rules_out_costs_much_and_not_everything() -> None:
    certain = np.array([[0, 1]] * 4, np.float32)
    sure = replace(INPUTS, victim_answers=np.array([[1, 0]] * 4, np.float32))
    assert compare_clone(certain, sure)["kl_to_victim"] == pytest.approx(np.log(1e6), abs=1e-4)


def test_without_answers_there_are_no_distances() -> None:
    assert set(compare_clone(CLONE, replace(INPUTS, victim_answers=None))) == {
        "clone_accuracy",
        "agreement_with_victim",
    }


@pytest.mark.parametrize(
    ("attack", "threat"),
    [
        (KNOCKOFF, "T1"),
        (replace(KNOCKOFF, in_distribution_images=1), "T2"),
        (replace(KNOCKOFF, query_pool="none"), "T1"),
        (replace(KNOCKOFF, query_pool="none", in_distribution_images=150), "T2"),
        (replace(KNOCKOFF, query_pool="in_distribution"), "T2"),
    ],
)
def test_whoever_has_images_of_the_victims_kind_is_t2(attack: AttackConfig, threat: str) -> None:
    assert threat_class(attack) == threat


SPEC = CellSpec(2, "data", "cerberos", "cerberos", "{}", 1, "model", "random", "pool", KNOCKOFF, "lenet", 1e-3, 7, 8)


@pytest.mark.parametrize("shared", [POOL[:2], POOL[-2:], POOL[19:21]], ids=["pool", "own", "one of each"])
def test_neither_pool_nor_own_images_may_be_the_defenders(shared: np.ndarray, tmp_path: Path) -> None:
    inputs = replace(INPUTS, fingerprints=image_fingerprints(shared))
    with pytest.raises(UsageError, match="2 images of the pool animal_mnist are also in the out-of-distribution"):
        compute_cell(SPEC, inputs, tmp_path, ignore)


def dataset(validation: np.ndarray) -> Dataset:
    labelled = LabelledImages(validation, np.zeros(len(validation), np.int64))
    return Dataset("made up", "here", ("a", "b"), labelled, labelled, labelled)


def test_own_images_are_distinct_images_of_the_victims_kind_and_the_seed_chooses() -> None:
    data = dataset(np.concatenate([POOL, POOL[:5]]))
    few = [load_in_distribution(replace(KNOCKOFF, in_distribution_images=6), data, seed) for seed in (1, 1, 2)]
    assert (few[0] == few[1]).all()
    assert (few[0] != few[2]).any()
    everything = load_in_distribution(replace(KNOCKOFF, in_distribution_images=30), data, 1)
    assert len(np.unique(everything, axis=0)) == 30
    assert (everything[:6] == few[0]).all()
    assert load_in_distribution(KNOCKOFF, data, 1).shape == (0, 4, 4, 1)
    with pytest.raises(UsageError, match="is 31; allowed: 0 to 30, the distinct validation images"):
        load_in_distribution(replace(KNOCKOFF, in_distribution_images=31), data, 1)
