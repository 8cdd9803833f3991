"""Who removes a mark from a clone, what there is to do it with, and how a network is trained for that."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from tinycerb.keras_models.legacy import keras
from tinycerb.registry import Registry

_BATCH = 64


@dataclass(frozen=True)
class Thief:
    """Who removes, and what there is to do it with.

    Attributes:
        clone: images float [N, height, width, channels] in 0..1 to logits; removals change it in place.
        pool: images of other kinds that it was made from, uint8.
        pool_labels: what the victim said to them, int64.
        own: images of the task, uint8.
        victim_labels: what the victim says to them.
        true_labels: what they are.
        families: names of the vendor's generator, which is public.
        build: makes a fresh student.
        classes: number of classes.
        seed: of all that is drawn.
    """

    clone: keras.Model
    pool: np.ndarray
    pool_labels: np.ndarray
    own: np.ndarray
    victim_labels: np.ndarray
    true_labels: np.ndarray
    families: tuple[str, ...]
    build: Callable[[], keras.Model] = field(repr=False)
    classes: int
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator of the thief's seed."""
        return np.random.default_rng([self.seed, 31])


Removal = Callable[[Thief], keras.Model]
REMOVALS: Registry[Removal] = Registry("removal")
# Frozen dataclasses that are removals once their options are given.
WITH_OPTIONS: Registry[Callable[..., Removal]] = Registry("removal with options")


def fit(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    learning_rate: float = 5e-4,
    smoothing: float = 0.0,
) -> keras.Model:
    """Trains a model that gives logits, in place.

    Args:
        model: the model.
        images: uint8 [N, height, width, channels].
        labels: int64 [N].
        epochs: how many.
        learning_rate: of Adam.
        smoothing: share of the target that goes to all classes alike.
    """
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    model.compile(keras.optimizers.Adam(learning_rate), loss)
    targets = np.eye(model.output_shape[-1], dtype=np.float32)[labels]
    # Keras' own annotation does not know 0.
    model.fit(images.astype(np.float32) / 255, targets, batch_size=_BATCH, epochs=epochs, verbose=cast(Any, 0))
    return model


def labels_of(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns a model's labels, int64 [N], for uint8 images."""
    return model.predict(images.astype(np.float32) / 255, batch_size=512, verbose=cast(Any, 0)).argmax(axis=1)
