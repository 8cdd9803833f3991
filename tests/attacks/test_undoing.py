"""Attacks on perturbed answers: what undoes them, what leaves them out, what distrusts them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.attacks.conftest import FOREIGN
from tests.attacks.known_heads import KnownHeads, inputs_on
from tests.benchmarks.attack_figures import recommended
from tinycerb.attacks import attack_of
from tinycerb.attacks.building_blocks.response_pairs import answers_to, can_simulate, to_codes
from tinycerb.attacks.confidence_gated import ConfidenceGated
from tinycerb.attacks.inversion import Inversion, fit
from tinycerb.attacks.restorer import Restorer
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras

HeadCodes = Callable[[str], np.ndarray]


@pytest.fixture(scope="module")
def codes(head_codes: HeadCodes) -> np.ndarray:
    """Posterior codes of an undefended int8 victim to foreign images."""
    return head_codes("undefended")[:1000, 0]


@pytest.fixture(scope="module")
def sure_codes(codes: np.ndarray) -> np.ndarray:
    """The same of a victim that has learned for longer: sharper, a quarter of them above 0.7."""
    return to_codes((codes / 256.0) ** 3)


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).sum(axis=1).mean())


@pytest.mark.parametrize("response", ["dcp", "dcp,beta=1,tau=1", "rs,beta=.8"])
def test_inversion_brings_answers_to_a_third_of_their_distance(codes: np.ndarray, response: str) -> None:
    clean, answers = codes / 256, answers_to(response, codes)
    assert distance(answers, clean) > 0.2
    inverted = Inversion(pairs=20_000).inverted(answers, response, 1)
    assert np.allclose(inverted.sum(axis=1), 1, atol=1e-3)
    assert distance(inverted, clean) <= distance(answers, clean) / 3


def test_inversion_finds_the_parameters_from_answers_alone(sure_codes: np.ndarray) -> None:
    clean, answers = sure_codes / 256, answers_to("dcp", sure_codes)
    found = fit(answers, "dcp", 1)
    assert distance(Inversion(pairs=20_000).inverted(answers, found, 1), clean) <= distance(answers, clean) / 3


@pytest.mark.parametrize("method", ["mlp", "partial_bayes"])
def test_a_restorer_beats_none(sure_codes: np.ndarray, method: str) -> None:
    keras.utils.set_random_seed(1)
    clean, answers = sure_codes / 256, answers_to("rs", sure_codes)
    restored = Restorer(method, pairs=20_000, epochs=4).restored(answers, "rs", 1)
    assert np.allclose(restored.sum(axis=1), 1, atol=1e-3)
    assert distance(restored, clean) < distance(answers, clean) / 2


def test_where_nothing_was_done_nothing_is_undone(codes: np.ndarray) -> None:
    answers = (codes / 256).astype(np.float32)
    assert (Restorer().restored(answers, "none", 1) == answers).all()
    assert (Inversion().inverted(answers, "rounding,bits=3", 1) == answers).all()


@pytest.mark.parametrize("response", ["grad_head", "am", "edm", "grad2", "ntm,learned=true"])
def test_what_posteriors_alone_cannot_play_is_left(codes: np.ndarray, response: str) -> None:
    """In a matrix every attack meets every defence: that cell is a plain attack, no failure."""
    answers = (codes / 256).astype(np.float32)
    assert not can_simulate(response, answers.shape[1])
    assert (Restorer().restored(answers, response, 1) == answers).all()
    assert can_simulate("dcp", answers.shape[1])


@pytest.mark.parametrize("attack", ["restorer", "inversion"])
def test_labels_leave_nothing_to_restore(attack: str) -> None:
    config = AttackConfig("a", attack, output="top1")
    with pytest.raises(UsageError, match="leaves nothing to restore"):
        attack_of(config).check(config, 100, 0)


@pytest.mark.parametrize(("attack", "options"), [("restorer", {"pairs": 500}), ("inversion", {"pairs": 500})])
def test_whole_attacks_on_a_perturbed_victim(codes: np.ndarray, attack: str, options: dict) -> None:
    oracle = KnownHeads(FOREIGN[:200], answers_to("rs", codes[:200])[:, np.newaxis], 1)
    config = AttackConfig("a", attack, options=options, students=("lenet",), epochs=1)
    notes, found = {}, []
    inputs = inputs_on(oracle, FOREIGN[:200], config, lambda epoch, predict: found.append(predict), notes)
    attack_of(config).run(replace(inputs, response="rs"))
    assert notes["worst_case"] == "knows the response"
    assert oracle.charged == 200
    assert found[-1](FOREIGN[:3]).shape == (3, 10)


def test_sure_answers_of_dcp_are_honest(sure_codes: np.ndarray) -> None:
    answers = answers_to("dcp,tau=.7", sure_codes)
    moved = (answers != sure_codes.astype(np.float32) / 256).any(axis=1)
    sure = ConfidenceGated("confident", tau=0.7, repeats=1).chosen(answers[np.newaxis])
    unsure = ConfidenceGated("unsure", tau=0.7, repeats=1).chosen(answers[np.newaxis])
    assert 0.1 < sure.mean() < 0.9
    assert not moved[sure].any()
    assert moved[unsure].mean() > 0.9
    assert (sure != unsure).all()


def test_a_gate_keeps_the_best_where_nothing_fits() -> None:
    split = np.eye(2)[[[0] * 9 + [1], [1] * 10]]
    assert np.flatnonzero(ConfidenceGated("agreeing").chosen(split)).tolist() == [9]
    split[0, 9] = [1, 0]
    assert ConfidenceGated("agreeing", least=0.2).chosen(split).sum() == 2


def toy(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with one brighter quarter, and which."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, count)
    images = rng.integers(0, 200, (count, 12, 12, 1))
    for image, label in zip(images, labels, strict=True):
        rows, columns = (slice(0, 6), slice(6, 12))[label // 2], (slice(0, 6), slice(6, 12))[label % 2]
        image[rows, columns] += 40
    return images.astype(np.uint8), labels


@pytest.fixture(scope="module")
def plain_accuracy() -> float:
    return noisy_accuracy("knockoff", {})


def noisy_accuracy(attack: str, options: dict) -> float:
    """Accuracy of a clone that learns from answers of which 40 % name another class."""
    keras.utils.set_random_seed(1)
    (images, labels), (tests, truth) = toy(600, 1), toy(1000, 2)
    rng = np.random.default_rng(3)
    wrong = (labels + rng.integers(1, 4, 600)) % 4
    answers = np.eye(10, dtype=np.float32)[np.where(rng.random(600) < 0.4, wrong, labels)]
    oracle = KnownHeads(images, answers[:, np.newaxis], 1)
    config = AttackConfig("a", attack, options=options, students=("lenet",), epochs=30, batch_size=32)
    found = []
    attack_of(config).run(inputs_on(oracle, images, config, lambda epoch, predict: found.append(predict)))
    return float((found[-1](tests).argmax(axis=1) == truth).mean())


@pytest.mark.parametrize("loss", ["gce", "sce", "co_teaching"])
def test_robust_losses_beat_cross_entropy_on_wrong_labels(loss: str, plain_accuracy: float) -> None:
    assert noisy_accuracy("noise_robust", {"loss": loss, "noise": 0.4}) > plain_accuracy + 0.05


@pytest.mark.parametrize(
    ("attack", "options", "message"),
    [
        ("repeat_mean", {"repeats": 0}, "repeats is 0; allowed: 1 to 1000"),
        ("repeat_vote", {"rule": "mode"}, "rule is 'mode'; allowed: majority, median, geometric"),
        ("confidence_gated", {"tau": 2.0}, "tau is 2.0; allowed: 0 to 1"),
        ("noise_robust", {"loss": "mae"}, "loss is 'mae'; allowed: gce, sce, co_teaching"),
        ("inversion", {"kind": "mad"}, "kind is 'mad'; allowed: dcp, rs"),
        ("demultiplex", {"heads": 3}, "unknown key 'heads'"),
    ],
)
def test_wrong_options_are_named(attack: str, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        attack_of(AttackConfig("a", attack, options=options))


def test_the_recommended_settings_fit_the_demo() -> None:
    names = [config.name for config in recommended()]
    assert len(names) == len(set(names)) > 12
    for config in recommended():
        images = 5000 if config.query_pool == "in_distribution" else 9716
        attack_of(config).check(config, images, config.in_distribution_images)
