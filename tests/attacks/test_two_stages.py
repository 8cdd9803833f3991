"""Low resolution first, and answers at another temperature: by hand, off, and in the order that is promised."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attacks.attacker import POOL, Recorder, inputs_of
from tinycerb.attacks import attack_of
from tinycerb.attacks.building_blocks import distill
from tinycerb.attacks.knockoff_two_stage import at_half_resolution, at_temperature
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras

CONFIG = AttackConfig("a", attack="knockoff_two_stage", budget=60, students=("lenet",), epochs=3, batch_size=16)


def test_half_a_resolution_by_hand() -> None:
    image = np.array([[0, 2, 10], [4, 5, 20], [100, 101, 255]], np.uint8)[None, :, :, None]
    coarse = at_half_resolution(image)
    # (0 + 2 + 4 + 5) / 4 = 2.75; the last column and row count twice.
    assert coarse[0, :, :, 0].tolist() == [[3, 3, 15], [3, 3, 15], [101, 101, 255]]
    assert coarse.dtype == np.uint8
    np.testing.assert_array_equal(at_half_resolution(coarse[:, :2, :2]), coarse[:, :2, :2])
    assert at_half_resolution(np.full((2, 5, 4, 3), 255, np.uint8)).min() == 255


def test_a_temperature_by_hand() -> None:
    answers = np.array([[0.64, 0.36], [1.0, 0.0]], np.float32)
    assert at_temperature(answers, 1.0) is answers
    # Roots of 0.64 and 0.36 are 0.8 and 0.6; of a code that is held at 1/512, 0.0442.
    np.testing.assert_allclose(at_temperature(answers, 2.0), [[8 / 14, 6 / 14], [0.95768, 0.04232]], atol=1e-5)
    np.testing.assert_allclose(at_temperature(answers, 0.5)[0], [0.4096 / 0.5392, 0.1296 / 0.5392], atol=1e-6)
    for temperature in (0.05, 20):
        found = at_temperature(answers, temperature)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
        assert (found.argmax(axis=1) == 0).all()


def posteriors(config: AttackConfig) -> list[np.ndarray]:
    keras.utils.set_random_seed(1)
    found: list[np.ndarray] = []
    attack_of(config).run(inputs_of(Recorder(), config, lambda epoch, predict: found.append(predict(POOL))))
    return found


def test_with_both_off_it_is_knockoff_byte_for_byte() -> None:
    one, other = posteriors(CONFIG), posteriors(replace(CONFIG, attack="knockoff"))
    assert len(one) == len(other) == 3
    for here, there in zip(one, other, strict=True):
        np.testing.assert_array_equal(here, there)
    changed = posteriors(replace(CONFIG, options={"temperature": 3.0}))
    assert np.abs(changed[-1] - one[-1]).max() > 0.01


def test_the_first_epochs_see_coarse_images_the_others_those_that_were_asked(monkeypatch) -> None:
    stages: list[tuple] = []

    def noted(members, images, answers, settings, seed, on_epoch, on_progress):
        stages.append((members, images, answers, settings.epochs))
        on_epoch(settings.epochs, "predict")

    monkeypatch.setattr(distill, "distill", noted)
    oracle, measured = Recorder(), []
    config = replace(CONFIG, options={"low_resolution_epochs": 2, "temperature": 2.0}, members=2)
    attack_of(config).run(inputs_of(oracle, config, lambda epoch, predict: measured.append(epoch)))
    (asked,) = oracle.asked
    coarse, full = stages
    np.testing.assert_array_equal(coarse[1], at_half_resolution(asked))
    np.testing.assert_array_equal(full[1], asked)
    assert (coarse[3], full[3], measured) == (2, 1, [2, 3])
    assert coarse[0] is full[0]
    assert len(full[0]) == 2
    wanted = at_temperature(Recorder().query(asked), 2.0)
    for stage in stages:
        np.testing.assert_array_equal(stage[2], wanted)


def test_some_epochs_must_be_left_for_images_as_they_are() -> None:
    config = replace(CONFIG, options={"low_resolution_epochs": 3})
    with pytest.raises(UsageError, match=r"low_resolution_epochs is 3 of 3 epochs; allowed: 0 to 2, so that some"):
        attack_of(config).check(config, 200, 0)
    config = replace(CONFIG, options={"low_resolution_epochs": 2})
    attack_of(config).check(config, 200, 0)
