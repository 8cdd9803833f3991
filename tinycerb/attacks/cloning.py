"""The last step of most attacks: the clone that the configuration asks for, trained on images and answers."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.distill import OnEpoch, distill, settings_of, soft_cross_entropy

Predict = Callable[[np.ndarray], np.ndarray]


def train_clone(
    inputs: AttackInputs,
    images: np.ndarray,
    answers: np.ndarray,
    loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = soft_cross_entropy,
    on_epoch: OnEpoch | None = None,
) -> None:
    """Builds and trains a clone with the settings of the configuration.

    Args:
        inputs: the attack's.
        images: uint8 [N, height, width, channels].
        answers: [N, classes], rows that sum to 1.
        loss: of an answer and the clone's logits.
        on_epoch: called in place of the attack's own.
    """
    distill(
        inputs.build_members(),
        images,
        answers.astype(np.float32),
        settings_of(inputs),
        inputs.seed,
        on_epoch or inputs.on_epoch,
        inputs.report,
        loss,
    )


def train_quietly(inputs: AttackInputs, images: np.ndarray, answers: np.ndarray) -> Predict:
    """Trains a clone that nobody has decided for yet; returns its predictor."""
    finished: list[Predict] = []
    train_clone(inputs, images, answers, on_epoch=lambda epoch, predict: finished.append(predict))
    return finished[-1]
