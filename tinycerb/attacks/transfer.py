"""The end of every attack that has asked all it may: the clone is trained on images and answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.attacks.base import AttackInputs

if TYPE_CHECKING:
    from keras_models.legacy import keras


def train_clone(inputs: AttackInputs, images: np.ndarray, answers: np.ndarray) -> None:
    """Trains the clone from scratch as the configuration says, and lets it be measured.

    Args:
        inputs: what the attacker has.
        images: uint8 [N, height, width, channels].
        answers: float32 [N, classes].
    """
    from tinycerb.attacks.distill import distill, settings_of

    members = inputs.build_members()
    distill(members, images, answers, settings_of(inputs), inputs.seed, inputs.on_epoch, inputs.report)


def train_selector(
    inputs: AttackInputs, images: np.ndarray, answers: np.ndarray, epochs: int, network: keras.Model | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """Trains a network that only helps to choose the next questions; it is never measured.

    Args:
        inputs: what the attacker has.
        images: uint8 [N, height, width, channels].
        answers: float32 [N, classes].
        epochs: passes over them.
        network: trained on; a new one if left out.

    Returns:
        From uint8 images to the network's posteriors, float32 [N, classes].
    """
    from tinycerb.attacks.distill import distill, predictor, settings_of

    members = [network if network is not None else inputs.build()]
    settings = replace(settings_of(inputs), epochs=epochs)
    distill(members, images, answers, settings, inputs.seed, lambda epoch, predict: None, inputs.report)
    return predictor(members)


def shuffled_images(inputs: AttackInputs) -> np.ndarray:
    """Returns all images that the attacker has, own ones too, in the order of its seed, uint8 [N, ...]."""
    images = np.concatenate([inputs.own, inputs.pool])
    return images[np.random.default_rng(inputs.seed).permutation(len(images))]
