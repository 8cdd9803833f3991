"""Trains a clone on images and the answers that a victim gave to them."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tinycerb.attacks.base import FLOOR, AttackInputs, OnEpoch
from tinycerb.events import OnProgress, Progress
from tinycerb.keras_models.legacy import keras
from tinycerb.training.objective import scale_images

_NOTE_EVERY_SECONDS = 0.5
_PREDICTED_AT_ONCE = 500
_MEASURED_EPOCHS = 6


@dataclass(frozen=True)
class DistillSettings:
    """How a clone is trained.

    Attributes:
        epochs: passes over the answered images.
        batch_size: images in a step.
        learning_rate: peak of Adam's cosine.
        prior_correction: weight of the answers' class frequencies in the training logits, 0 to 1. Foreign images
            fall into few classes; a clone that learns with `logits + weight * log(frequency)` and answers with
            `logits` expects even classes (logit adjustment, Menon et al., ICLR 2021).
    """

    epochs: int
    batch_size: int
    learning_rate: float
    prior_correction: float = 0.0


def settings_of(inputs: AttackInputs) -> DistillSettings:
    """Returns how the configuration wants the clone to be trained."""
    config = inputs.config
    return DistillSettings(config.epochs, config.batch_size, inputs.learning_rate, config.prior_correction)


# (wanted answers float [batch, classes], the clone's logits [batch, classes]) -> losses [batch]
Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def soft_cross_entropy(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """What KnockoffNets minimise: -sum_k wanted_k log softmax(logits)_k, [batch]."""
    return tf.nn.softmax_cross_entropy_with_logits(wanted, logits)


def distill(
    members: Sequence[keras.Model],
    images: np.ndarray,
    answers: np.ndarray,
    settings: DistillSettings,
    seed: int,
    on_epoch: OnEpoch,
    on_progress: OnProgress,
    loss: Loss = soft_cross_entropy,
) -> None:
    """Trains a clone in place on images and answers.

    Args:
        members: one or more networks, float images in 0..1 to logits. Each is trained on its own; the clone
            answers with the mean of their posteriors.
        images: uint8 [N, height, width, channels].
        answers: float32 [N, classes], posteriors or one-hot labels.
        settings: epochs, batch, learning rate and prior correction.
        seed: order of the images.
        on_epoch: called about six times, evenly spread, and after the last epoch.
        on_progress: takes progress events.
        loss: of an answer and the clone's logits.
    """
    step = _training_step(members, images, answers, settings, loss)
    predict = predictor(members)
    batch_size = min(settings.batch_size, len(images))
    steps = len(images) // batch_size
    stride = max(1, settings.epochs // _MEASURED_EPOCHS)
    last_note = time.monotonic()
    for epoch in range(settings.epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(images)).astype(np.int32)
        for index in range(steps):
            position = (epoch * steps + index) / (settings.epochs * steps)
            learning_rate = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * position))
            chosen = order[index * batch_size : (index + 1) * batch_size]
            current = step(tf.constant(chosen), tf.constant(learning_rate, tf.float32))
            if time.monotonic() - last_note > _NOTE_EVERY_SECONDS:
                last_note = time.monotonic()
                note = f"clone epoch {epoch + 1}/{settings.epochs}, loss {float(current):.3f}"
                on_progress(Progress(epoch * steps + index + 1, settings.epochs * steps, note))
        if (epoch + 1) % stride == 0 or epoch + 1 == settings.epochs:
            on_epoch(epoch + 1, predict)


def _training_step(
    members: Sequence[keras.Model], images: np.ndarray, answers: np.ndarray, settings: DistillSettings, loss: Loss
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    optimizers = [keras.optimizers.Adam() for _ in members]
    for optimizer, member in zip(optimizers, members, strict=True):
        optimizer.build(member.trainable_variables)
    all_images, all_answers = tf.constant(images), tf.constant(answers)
    # A class that never answers still has half a code of 1/256.
    frequencies = np.maximum(answers.mean(axis=0), FLOOR)
    offset = tf.constant(settings.prior_correction * np.log(frequencies), tf.float32)

    @tf.function
    def step(indices, learning_rate):
        batch, wanted = scale_images(tf.gather(all_images, indices)), tf.gather(all_answers, indices)
        losses = []
        for optimizer, member in zip(optimizers, members, strict=True):
            optimizer.learning_rate.assign(learning_rate)
            with tf.GradientTape() as tape:
                logits = member(batch, training=True) + offset
                mean = tf.reduce_mean(loss(wanted, logits))
            variables = member.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(mean, variables), variables, strict=True))
            losses.append(mean)
        return tf.add_n(losses) / len(losses)

    return step


def predictor(members: Sequence[keras.Model]) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the clone: uint8 images to the mean of the members' posteriors, float32 [N, classes]."""

    @tf.function(reduce_retracing=True)
    def mean_posterior(batch):
        posteriors = [tf.nn.softmax(member(scale_images(batch), training=False)) for member in members]
        return tf.add_n(posteriors) / len(posteriors)

    def predict(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), _PREDICTED_AT_ONCE)
        return np.concatenate([mean_posterior(images[start : start + _PREDICTED_AT_ONCE]).numpy() for start in starts])

    return predict
