"""What a thief does to a clone: every removal changes it, and leaves a network of the same classes."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras
from tinycerb.verification.removals import REMOVALS, Thief, fit, labels_of, removal_of
from tinycerb.verification.removals.wrk import Wrk, last_dense

CLASSES = 3
RNG = np.random.default_rng(5)
# Three grey levels, which a linear network tells apart.
TRUE = RNG.integers(0, CLASSES, 120)
OWN = np.clip(60 + 70 * TRUE[:, None, None, None] + RNG.integers(-20, 20, (120, 8, 8, 1)), 0, 255).astype(np.uint8)


def build() -> keras.Model:
    keras.utils.set_random_seed(3)
    image = keras.layers.Input((8, 8, 1))
    return keras.Model(image, keras.layers.Dense(CLASSES)(keras.layers.Flatten()(image)))


@cache
def trained() -> list[np.ndarray]:
    return fit(build(), OWN, TRUE, 150, 1e-2).get_weights()


def thief() -> Thief:
    clone = build()
    clone.set_weights(trained())
    said = labels_of(clone, OWN)
    return Thief(clone, OWN[:40], said[:40], OWN, said, TRUE, ("spectral_noise",), build, CLASSES, 1)


def test_what_is_removed_from_knows_its_task() -> None:
    assert (labels_of(thief().clone, OWN) == TRUE).mean() > 0.85


@pytest.mark.parametrize("name", list(REMOVALS))
def test_it_changes_the_clone_and_keeps_its_task_or_makes_it_anew(name: str) -> None:
    given = thief()
    before = given.clone.get_weights()
    changed = REMOVALS[name](given)
    assert changed.output_shape == (None, CLASSES)
    after = changed.get_weights()
    assert any(not np.allclose(old, new, atol=1e-6) for old, new in zip(before, after, strict=True))
    # Fresh students see too few images here to learn it.
    assert changed is not given.clone or (labels_of(changed, OWN) == TRUE).mean() > 0.6
    assert (changed is not given.clone) == (name in ("distill", "smooth", "alone-500-true", "alone-5000-true"))


def test_quantized_weights_have_fifteen_values_at_most() -> None:
    quantized = REMOVALS["quantize"](thief())
    for weights in quantized.get_weights():
        assert len(np.unique(weights)) <= 15


def test_wrk_moves_own_images_by_its_step_and_gives_them_other_labels() -> None:
    given = thief()
    wrk = Wrk(moved=70, step=0.25)
    images, labels = wrk.moved_images(given, OWN, TRUE, np.random.default_rng(0))
    chosen = np.random.default_rng(0).permutation(len(OWN))[:70]
    assert (images.shape, images.dtype) == ((70, 8, 8, 1), np.uint8)
    assert (labels != TRUE[chosen]).all()
    assert set(labels) == set(range(CLASSES))
    # Every pixel by a step of a quarter of the range, but for those that a limit stops; nobody's gradient is nothing.
    steps = np.abs(images.astype(int) - OWN[chosen].astype(int))
    stopped = (images == 0) | (images == 255)
    assert stopped.mean() < 0.5
    assert (np.abs(steps[~stopped] - 0.25 * 255) <= 1).all()
    # A batch of 32 goes towards one class, whose logit grows.
    grown = logits(given, images) - logits(given, OWN[chosen])
    for start in (0, 32, 64):
        assert (grown[start : start + 32] > 0).all(axis=0).any()


def logits(given: Thief, images: np.ndarray) -> np.ndarray:
    return given.clone(images.astype(np.float32) / 255).numpy()


def test_wrk_draws_the_classifier_anew_and_turns_away_from_the_old_one() -> None:
    likeness = {}
    for away in (0.0, 1.0):
        given = thief()
        before = last_dense(given.clone).get_weights()[0]
        assert Wrk(moved=10, away=away, epochs=5)(given) is given.clone
        likeness[away] = float((last_dense(given.clone).get_weights()[0] * before).sum())
    assert likeness[1.0] < likeness[0.0] - 1
    assert likeness[1.0] < 0


@pytest.mark.parametrize(("text", "labels"), [("wrk,labels=clone", "clone"), ("wrk,labels=victim,own=50", "victim")])
def test_wrk_takes_the_labels_that_it_is_told(text: str, labels: str) -> None:
    """All of one class where that is what the thief's labels say."""
    given = replace(thief(), **{"true_labels": np.full(len(OWN), 2), "victim_labels": np.full(len(OWN), 1)})
    said = labels_of(removal_of(f"{text},moved=1,away=0,learning_rate=0.1")(given), OWN)
    wanted = {"clone": TRUE, "victim": np.full(len(OWN), 1)}[labels]
    assert (said == wanted).mean() > 0.6


def test_a_wrong_option_is_told_with_what_is_allowed() -> None:
    for text, told in (
        ("wrk,labels=mine", "labels is 'mine'; allowed: clone, victim, true"),
        ("wrk,step=2", "step is 2.0; allowed: 0.00392157 to 1"),
        ("prune,share=1", "unknown removal with options 'prune'; known: wrk"),
        ("shear", "unknown removal 'shear'"),
    ):
        with pytest.raises(UsageError, match=re.escape(told)):
            removal_of(text)


def test_a_clone_without_a_dense_layer_has_no_classifier_to_draw_anew() -> None:
    image = keras.layers.Input((8, 8, 1))
    pooled = keras.Model(image, keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(CLASSES, 3)(image)))
    with pytest.raises(UsageError, match="has no dense layer; allowed: students that end in one"):
        last_dense(pooled)
