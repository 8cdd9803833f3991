"""The end of every attack that has asked all it may: the clone is trained on images and answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.attacks.base import AttackInputs

if TYPE_CHECKING:
    from tinycerb.attacks.base import OnEpoch
    from tinycerb.attacks.building_blocks.distill import Loss
    from tinycerb.keras_models.legacy import keras

# The clone: uint8 images to posteriors, float32 [N, classes].
Predict = Callable[[np.ndarray], np.ndarray]


def train_clone(
    inputs: AttackInputs,
    images: np.ndarray,
    answers: np.ndarray,
    loss: Loss | None = None,
    on_epoch: OnEpoch | None = None,
) -> None:
    """Trains the clone from scratch as the configuration says, and lets it be measured.

    Args:
        inputs: what the attacker has.
        images: uint8 [N, height, width, channels].
        answers: float [N, classes].
        loss: of an answer and the clone's logits; by default soft cross-entropy.
        on_epoch: called in place of the attack's own.
    """
    from tinycerb.attacks.building_blocks.distill import distill, settings_of, soft_cross_entropy

    distill(
        inputs.build_members(),
        images,
        answers.astype(np.float32),
        settings_of(inputs),
        inputs.seed,
        on_epoch or inputs.on_epoch,
        inputs.on_progress,
        loss or soft_cross_entropy,
    )


def train_quietly(inputs: AttackInputs, images: np.ndarray, answers: np.ndarray) -> Predict:
    """Trains a clone that nobody has decided for yet; returns its predictor."""
    finished: list[Predict] = []
    train_clone(inputs, images, answers, on_epoch=lambda epoch, predict: finished.append(predict))
    return finished[-1]


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
    from tinycerb.attacks.building_blocks.distill import distill, predictor, settings_of

    members = [network if network is not None else inputs.build()]
    settings = replace(settings_of(inputs), epochs=epochs)
    distill(members, images, answers, settings, inputs.seed, lambda epoch, predict: None, inputs.on_progress)
    return predictor(members)


def shuffled_images(inputs: AttackInputs) -> np.ndarray:
    """Returns all images that the attacker has, in-distribution ones too, in the order of its seed, uint8 [N, ...]."""
    images = np.concatenate([inputs.in_distribution, inputs.pool])
    return images[np.random.default_rng(inputs.seed).permutation(len(images))]
