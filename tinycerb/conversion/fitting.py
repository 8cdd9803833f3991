"""A trained victim, as a response that learns from it sees it."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tinycerb.answers.responses.fitting import Surrogate
from tinycerb.config import Config
from tinycerb.datasets.images import Dataset
from tinycerb.events import OnProgress, Progress
from tinycerb.file_names import FLOAT_MODEL
from tinycerb.keras_models.legacy import keras
from tinycerb.run.victim import Victim
from tinycerb.training.artefacts import load_float_model
from tinycerb.training.model_source import build_model, compare_model
from tinycerb.training.objective import LogitPredictor
from tinycerb.training.setup import make_repeatable

_BATCH, _LEARNING_RATE = 128, 2e-3


@dataclass(frozen=True)
class TrainedVictim:
    """What `FittingContext` asks for.

    Attributes:
        config: the run's configuration.
        victim: one of its victims.
        dataset: the victim's data.
        folder: the trained victim's.
        on_progress: takes progress events.
        key_words: of the owner key; none where the owner is public.
    """

    config: Config
    victim: Victim
    dataset: Dataset
    folder: Path
    on_progress: OnProgress
    key_words: tuple[int, ...] = field(default=(), repr=False)

    @property
    def families(self) -> tuple[str, ...]:
        """Of out-of-distribution images that the run draws."""
        return self.config.out_of_distribution.families

    @property
    def drawn_images(self) -> int:
        """How many of them it draws."""
        return self.config.out_of_distribution.images

    @property
    def seed(self) -> int:
        """The run's."""
        return self.config.seed

    @cached_property
    def _predict(self) -> LogitPredictor:
        return LogitPredictor(load_float_model(self.folder / FLOAT_MODEL))

    def clean_posteriors(self, images: np.ndarray) -> np.ndarray:
        """Returns the trained victim's posteriors of its first head, float32 [N, classes], for uint8 images."""
        posteriors: Any = tf.nn.softmax(self._predict(images)[:, 0])
        return posteriors.numpy()

    def surrogate(self, images: np.ndarray, epochs: int, seed: int) -> Surrogate:
        """Distils a fresh network like the victim's; see `FittingContext`."""
        posteriors: Any = tf.nn.softmax(self._predict(images).mean(axis=1))
        compare_model(self.config)
        make_repeatable(seed)
        network = build_model(self.config, self.victim.defense, self.dataset, heads=1)
        distil_surrogate(network, images, posteriors.numpy(), epochs, self.config.seed, self.on_progress)
        return Surrogate(network, posteriors.numpy())


def distil_surrogate(
    surrogate: keras.Model, images: np.ndarray, posteriors: np.ndarray, epochs: int, seed: int, on_progress: OnProgress
) -> None:
    """Trains the surrogate in place on the clean victim's posteriors, and stops early as the paper does.

    Args:
        surrogate: images to logits.
        images: uint8 [N, height, width, channels], what a thief may ask.
        posteriors: float32 [N, classes].
        epochs: few: an early surrogate is what a thief's student is like while it learns most.
        seed: of the order of images.
        on_progress: takes progress events.
    """
    optimizer = keras.optimizers.Adam(_LEARNING_RATE)
    optimizer.build(surrogate.trainable_variables)

    @tf.function
    def step(batch: tf.Tensor, wanted: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            logits = surrogate(tf.cast(batch, tf.float32) / 255, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        gradients: list[Any] = tape.gradient(loss, surrogate.trainable_variables)  # type: ignore[assignment]
        optimizer.apply_gradients(zip(gradients, surrogate.trainable_variables, strict=True))

    steps = max(len(images) // _BATCH, 1)
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(images))
        for index in range(steps):
            chosen = order[index * _BATCH : (index + 1) * _BATCH]
            step(tf.constant(images[chosen]), tf.constant(posteriors[chosen]))
            if index % 100 == 0:
                on_progress(Progress(epoch * steps + index, epochs * steps, f"surrogate, epoch {epoch + 1}/{epochs}"))
