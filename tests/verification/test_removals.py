"""What a thief does to a clone: every removal changes it, and leaves a network of the same classes."""

import numpy as np
import pytest

from tinycerb.keras_models.legacy import keras
from tinycerb.verification.removals import REMOVALS, Thief, fit, labels_of

CLASSES = 3
RNG = np.random.default_rng(5)
# Three grey levels, which a linear network tells apart.
TRUE = RNG.integers(0, CLASSES, 120)
OWN = np.clip(60 + 70 * TRUE[:, None, None, None] + RNG.integers(-20, 20, (120, 8, 8, 1)), 0, 255).astype(np.uint8)


def build() -> keras.Model:
    keras.utils.set_random_seed(3)
    image = keras.layers.Input((8, 8, 1))
    return keras.Model(image, keras.layers.Dense(CLASSES)(keras.layers.Flatten()(image)))


def thief() -> Thief:
    clone = fit(build(), OWN, TRUE, 150, 1e-2)
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
    assert (changed is not given.clone) == (name in ("distill", "smooth"))


def test_quantized_weights_have_fifteen_values_at_most() -> None:
    quantized = REMOVALS["quantize"](thief())
    for weights in quantized.get_weights():
        assert len(np.unique(weights)) <= 15
