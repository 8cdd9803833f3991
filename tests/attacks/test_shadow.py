"""The attacker that plays the vendor on its own images."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attacks.attacker import POOL, Recorder, inputs_of
from tinycerb.attacks.building_blocks import transfer
from tinycerb.attacks.shadow import Shadow, fit_logistic, in_the_form_of, ranking_quality, signs_of
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras

RNG = np.random.default_rng(3)
CONFIG = AttackConfig("a", attack="shadow", students=("lenet",), epochs=2, batch_size=16, budget=0)


def test_signs_say_nothing_about_the_class() -> None:
    answers = RNG.dirichlet(np.ones(10), 50)
    likeness = RNG.uniform(size=50)
    renamed = signs_of(answers[:, RNG.permutation(10)], likeness)
    np.testing.assert_allclose(signs_of(answers, likeness), renamed, rtol=1e-12)
    # A sure answer and an unsure one differ in the first three.
    sure, unsure = signs_of(np.array([[1.0, 0, 0], [0.4, 0.3, 0.3]]), np.array([0.5, 0.5]))
    assert sure[0] > unsure[0]
    assert sure[1] > unsure[1]
    assert sure[2] < unsure[2]
    assert sure[3] == unsure[3] == 0


def test_the_logistic_model_finds_the_odds_that_made_the_data() -> None:
    signs = np.concatenate([RNG.standard_normal((20_000, 2)), np.ones((20_000, 1))], axis=1)
    weights = np.array([1.5, -0.5, 0.25])
    truth = RNG.uniform(size=20_000) < 1 / (1 + np.exp(-signs @ weights))
    np.testing.assert_allclose(fit_logistic(signs, truth, ridge=0.0), weights, atol=0.06)


def test_ranking_quality() -> None:
    truth = np.array([True, True, False, False])
    assert ranking_quality(np.array([4.0, 3, 2, 1]), truth) == 1
    assert ranking_quality(np.array([1.0, 2, 3, 4]), truth) == 0
    assert ranking_quality(np.array([4.0, 1, 3, 2]), truth) == 0.5
    assert ranking_quality(np.ones(4), truth) == 0.5
    assert ranking_quality(np.ones(4), np.ones(4, bool)) == 0.5


def test_it_notes_what_its_shadows_were_worth() -> None:
    keras.utils.set_random_seed(1)
    notes: dict = {}
    inputs = replace(inputs_of(Recorder(), CONFIG, lambda epoch, predict: None), note=notes.__setitem__)
    Shadow(families="gratings", drawn=100, epochs=1).run(inputs)
    assert notes["worst_case"] == "knows the recipe"
    assert 0 < notes["shadow_honest"] <= 1
    assert 0 <= notes["trust_auc"] <= 1


@pytest.mark.parametrize("sure", [255 / 256, 1.0])
def test_shadows_tell_labels_alone_if_the_victim_does(sure: float) -> None:
    """A device that tells labels gives 255/256 to one, an oracle that is asked for labels 1."""
    labels = np.array([[sure, 1 - sure, 0], [1 - sure, sure, 0]])
    shadow = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]])
    assert in_the_form_of(labels, shadow).tolist() == [[0, 0, 1], [1, 0, 0]]
    mixed = np.array([[sure, 1 - sure, 0], [0.4, 0.6, 0]])
    assert in_the_form_of(mixed, shadow) is shadow


def test_bad_options_and_a_pool_of_one_image() -> None:
    with pytest.raises(
        UsageError,
        match=r"names 'grating' \(did you mean 'gratings'\?\); allowed: .*gratings.*, joined by",
    ):
        Shadow(families="grating")
    with pytest.raises(UsageError, match=r"keep is 0; allowed: 0\.01 to 1"):
        Shadow(keep=0)
    inputs = replace(inputs_of(Recorder(), CONFIG, lambda epoch, predict: None), pool=POOL[:1].repeat(20, axis=0))
    with pytest.raises(UsageError, match="20 images of the pool make no groups; allowed: 4 distinct"):
        Shadow(drawn=100).run(inputs)


def gradient_teacher(images: np.ndarray) -> np.ndarray:
    """Says class 1 of every image but the darkest quarter, of which it says 0."""
    return np.eye(2, dtype=np.float32)[(images.mean(axis=(1, 2, 3)) > 8).astype(int)]


def test_who_knows_the_teachers_believes_what_none_of_them_says(monkeypatch) -> None:
    """And of the rest the most trusted tenth."""
    keras.utils.set_random_seed(1)
    notes: dict = {}
    trained_on: list[tuple[np.ndarray, np.ndarray]] = []
    monkeypatch.setattr(transfer, "train_clone", lambda inputs, images, answers: trained_on.append((images, answers)))
    recorder = Recorder()
    inputs = replace(
        inputs_of(recorder, CONFIG, lambda epoch, predict: None), note=notes.__setitem__, teachers=(gradient_teacher,)
    )
    attack = Shadow(families="gratings", drawn=100, epochs=1, knows_key=True, keep_explained=0.1)
    attack.run(inputs)
    ((images, answers),) = trained_on
    told, asked = recorder.query(POOL).argmax(axis=1), gradient_teacher(POOL).argmax(axis=1)
    explained = told == asked
    assert 20 < explained.sum() < len(POOL)
    assert notes["explained"] == pytest.approx(explained.mean())
    assert notes["worst_case"] == "knows the recipe and the owner key"
    lies = gradient_teacher(images).argmax(axis=1) == answers.argmax(axis=1)
    assert (~lies).sum() == (~explained).sum()
    assert lies.sum() == round(0.1 * explained.sum())
    # Two heads, two teachers: an answer that either gives is in doubt.
    trained_on.clear()
    Shadow(families="gratings", drawn=100, epochs=1, knows_key=True).run(
        replace(inputs, teachers=(gradient_teacher, lambda images: 1 - gradient_teacher(images)))
    )
    assert len(trained_on[0][0]) == 1


def test_without_teachers_it_says_so() -> None:
    inputs = inputs_of(Recorder(), CONFIG, lambda epoch, predict: None)
    with pytest.raises(UsageError, match="knows_key is true, but the attacker was given no teachers"):
        Shadow(families="gratings", drawn=100, epochs=1, knows_key=True).run(inputs)
    with pytest.raises(UsageError, match=r"keep_explained is 1\.5; allowed: 0 to 1"):
        Shadow(keep_explained=1.5)
