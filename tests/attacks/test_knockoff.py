"""KnockoffNets: what it asks, and what it never sees."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from tests.attacks.attacker import POOL, Recorder, inputs_of
from tinycerb.attacks import ATTACKS, AttackInputs, attack_of, knows_key
from tinycerb.attacks.building_blocks.distill import DistillSettings, distill
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.events import ignore
from tinycerb.keras_models.legacy import keras


def steal(config: AttackConfig, student: str = "plain_cnn", seed: int = 1):
    oracle, epochs = Recorder(), []
    config = replace(config, students=(student,))
    attack_of(config).run(
        inputs_of(oracle, config, lambda epoch, predict: epochs.append(predict(POOL).argmax(axis=1)), seed)
    )
    return oracle, epochs


@pytest.mark.parametrize("student", list(STUDENTS))
def test_clone_learns_from_the_answers(student: str) -> None:
    oracle, epochs = steal(AttackConfig("k", epochs=6, batch_size=16), student)
    assert oracle.charged == len(POOL)
    assert len(epochs) == 6
    truth = (POOL.mean(axis=(1, 2, 3)) > 60).astype(int)
    assert (epochs[-1] == truth).mean() > 0.95


def test_prior_correction_gives_rare_classes_their_share() -> None:
    """Four of five images answer class 0, and the border between the classes is blurred."""
    rng = np.random.default_rng(5)
    brightness = rng.uniform(0, 1, 400)
    images = (brightness[:, None, None, None] * 255 * np.ones((1, 28, 28, 1))).astype(np.uint8)
    rare = brightness + rng.normal(0, 0.15, 400) > 0.85
    answers = np.eye(2, dtype=np.float32)[rare.astype(int)]
    shares = []
    for correction in (0.0, 1.0):
        keras.utils.set_random_seed(1)
        clone, labels = STUDENTS["lenet"]((28, 28, 1), 2), []
        settings = DistillSettings(8, 32, 1e-3, correction)
        distill(
            [clone],
            images,
            answers,
            settings,
            1,
            lambda epoch, predict, into=labels: into.append(predict(images).argmax(axis=1)),
            ignore,
        )
        shares.append(labels[-1].mean())
    assert shares[1] > shares[0] + 0.05


def test_an_ensemble_answers_with_the_mean_of_its_members() -> None:
    oracle, found, members = Recorder(), [], []
    config = AttackConfig("k", epochs=1, members=3)
    attack_of(config).run(inputs_of(oracle, config, lambda epoch, predict: found.append(predict(POOL)), built=members))
    assert len(members) == 3
    assert oracle.charged == len(POOL)
    logits = [member(POOL.astype(np.float32) / 255).numpy() for member in members]
    posteriors = [np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) for z in logits]
    np.testing.assert_allclose(np.mean(posteriors, axis=0), found[0], atol=1e-5)
    assert (logits[0] != logits[1]).any()


def test_each_image_is_asked_once_within_the_budget() -> None:
    oracle, _ = steal(AttackConfig("k", budget=50, epochs=1))
    asked = np.concatenate(oracle.asked)
    assert len(asked) == len(np.unique(asked, axis=0)) == 50


def test_the_clone_is_measured_a_few_times_and_at_the_end() -> None:
    clone, epochs = STUDENTS["lenet"]((28, 28, 1), 2), []
    answers = np.eye(2, dtype=np.float32)[np.arange(len(POOL)) % 2]
    settings = DistillSettings(20, 100, 1e-3)
    distill([clone], POOL, answers, settings, 1, lambda epoch, predict: epochs.append(epoch), ignore)
    assert epochs == [3, 6, 9, 12, 15, 18, 20]


def test_a_budget_above_the_pool_is_named() -> None:
    config = AttackConfig("k", budget=201)
    with pytest.raises(UsageError, match=r"budget is 201.*200 distinct"):
        attack_of(config).check(config, len(POOL), 0)


def test_an_attacker_is_given_no_model_no_labels_no_test_set() -> None:
    names = {field.name for field in dataclasses.fields(AttackInputs)}
    assert names == {
        "oracle", "pool", "in_distribution", "classes", "build", "config", "learning_rate", "response", "seed",
        "on_epoch", "note", "on_progress", "teachers",
    }  # fmt: skip
    # But for a worst case that asks for it, of which there are a few.
    assert {name for name in ATTACKS if knows_key(attack_of(AttackConfig("a", attack=name)))} == set()
    assert {name for name in ATTACKS if hasattr(attack_of(AttackConfig("a", attack=name)), "knows_key")} == {"shadow"}
    assert inputs_of(Recorder(), AttackConfig("k"), lambda epoch, predict: None).teachers == ()


@pytest.mark.parametrize(
    ("student", "parameters"),
    [
        ("lenet", 114_314), ("plain_cnn", 124_010), ("batchnorm_cnn", 53_698), ("large_batchnorm_cnn", 94_634),
        ("demo_net", 50_794), ("victim_x2", 194_762),
    ],
)  # fmt: skip
def test_students_are_never_smaller_than_the_demo_victim(student: str, parameters: int) -> None:
    assert STUDENTS[student]((28, 28, 1), 10).count_params() == parameters >= 50_794
