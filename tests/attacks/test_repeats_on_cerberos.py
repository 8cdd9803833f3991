"""Repeats against a trained CERBEROS: what eight questions per image are worth when nobody counts them."""

from pathlib import Path

import numpy as np

from tests.benchmarks.attack_figures import inputs_for
from tinycerb.attacks import attack_of
from tinycerb.attacks.building_blocks.repeats import mean_of_distinct
from tinycerb.config import AttackConfig, load_config
from tinycerb.datasets import load_dataset
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.training.setup import make_repeatable

FILE = Path(__file__).parents[1] / "assets/cerberos_demo.tflite"


def clone_accuracy(attack: str, options: dict, selection: str, seed: int) -> tuple[float, int]:
    """Returns a clone's accuracy on the test set and the calls it took."""
    make_repeatable(seed)
    dataset = load_dataset(load_config("demo").data)
    config = AttackConfig(
        "a", attack=attack, options=options, budget=6000, epochs=12, students=("lenet",), prior_correction=0.5
    )
    predictors = []
    with SealedOracle(OracleSpec(str(FILE), config.output, selection, 77)) as oracle:
        inputs = inputs_for(oracle, dataset, config, seed, lambda epoch, predict: predictors.append(predict))
        attack_of(config).run(inputs)
        charged = oracle.charged
    labels = predictors[-1](dataset.test.images).argmax(axis=1)
    return float((labels == dataset.test.labels).mean()), charged


def test_eight_uncharged_repeats_are_worth_the_mean_head() -> None:
    repeats = {"repeats": 8, "charged": False, "distinct": True}
    reached = [clone_accuracy("repeat_mean", repeats, "random", seed) for seed in (1, 2)]
    oracle = [clone_accuracy("knockoff", {}, "mean", seed) for seed in (1, 2)]
    assert [calls for _, calls in reached] == [48_000, 48_000]
    assert [calls for _, calls in oracle] == [6_000, 6_000]
    best = np.mean([accuracy for accuracy, _ in oracle])
    # Both have learned something: two clones at chance would agree too.
    assert best > 0.5
    assert np.mean([accuracy for accuracy, _ in reached]) >= best - 0.02


def test_the_mean_of_different_answers_is_the_mean_of_the_heads() -> None:
    heads = np.random.default_rng(1).dirichlet(np.ones(4), (3, 5)).astype(np.float32)
    drawn = np.array([0, 0, 2, 0, 1, 1, 0, 0])
    np.testing.assert_allclose(mean_of_distinct(heads[drawn]), heads.mean(axis=0), rtol=1e-6)
    # Where one head was never drawn, it is missing; noise that never repeats counts whole.
    np.testing.assert_allclose(mean_of_distinct(heads[[0, 2, 2]]), heads[[0, 2]].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(mean_of_distinct(heads), heads.mean(axis=0), rtol=1e-6)
