"""Losses that distrust answers, and co-teaching; see `noise_robust`."""

import math

import numpy as np
import tensorflow as tf

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.distill import Loss, predictor, settings_of, soft_cross_entropy
from tinycerb.events import Progress
from tinycerb.keras_models.legacy import keras
from tinycerb.training.objective import scale_images

_LOG_OF_ZERO = -4.0
_RAMP = 0.2


def generalised(q: float) -> Loss:
    """Returns the generalised cross-entropy (1 - (y . p)^q) / q."""

    def loss(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        hit = tf.reduce_sum(wanted * tf.nn.softmax(logits), axis=1)
        # The power's derivative at 0 is infinite.
        return (1 - tf.maximum(hit, 1e-6) ** q) / q

    return loss


def symmetric(reverse: float) -> Loss:
    """Returns cross-entropy plus `reverse` times the one with both sides exchanged."""

    def loss(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        log_wanted = tf.maximum(tf.math.log(tf.maximum(wanted, 1e-9)), _LOG_OF_ZERO)
        backwards = -tf.reduce_sum(tf.nn.softmax(logits) * log_wanted, axis=1)
        return soft_cross_entropy(wanted, logits) + reverse * backwards

    return loss


def co_teach(inputs: AttackInputs, images: np.ndarray, answers: np.ndarray, noise: float) -> None:
    """Trains two clones that choose each other's images; `inputs.on_epoch` gets their mean after every epoch.

    Args:
        inputs: the attack's.
        images: uint8 [N, height, width, channels].
        answers: float32 [N, classes].
        noise: share of each batch that is left out, after a ramp over the first fifth of the training.
    """
    settings = settings_of(inputs)
    members = [inputs.build(), inputs.build()]
    step = _step(members, images, answers)
    predict = predictor(members)
    batch_size = min(settings.batch_size, len(images))
    steps = len(images) // batch_size
    for epoch in range(settings.epochs):
        order = np.random.default_rng([inputs.seed, epoch]).permutation(len(images)).astype(np.int32)
        for index in range(steps):
            position = (epoch * steps + index) / (settings.epochs * steps)
            rate = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * position))
            kept = max(1, round(batch_size * (1 - noise * min(1.0, position / _RAMP))))
            chosen = order[index * batch_size : (index + 1) * batch_size]
            step(tf.constant(chosen), tf.constant(rate, tf.float32), tf.constant(kept))
        inputs.on_progress(Progress(epoch + 1, settings.epochs, "co-teaching"))
        inputs.on_epoch(epoch + 1, predict)


def _step(members: list[keras.Model], images: np.ndarray, answers: np.ndarray):
    optimizers = [keras.optimizers.Adam() for _ in members]
    for optimizer, member in zip(optimizers, members, strict=True):
        optimizer.build(member.trainable_variables)
    all_images, all_answers = tf.constant(images), tf.constant(answers, tf.float32)

    @tf.function
    def step(indices, rate, kept):
        batch, wanted = scale_images(tf.gather(all_images, indices)), tf.gather(all_answers, indices)
        surprise = [soft_cross_entropy(wanted, member(batch, training=False)) for member in members]
        for own, other in ((0, 1), (1, 0)):
            trusted = tf.math.top_k(-surprise[other], k=kept, sorted=False).indices
            with tf.GradientTape() as tape:
                logits = members[own](tf.gather(batch, trusted), training=True)
                mean = tf.reduce_mean(soft_cross_entropy(tf.gather(wanted, trusted), logits))
            variables = members[own].trainable_variables
            optimizers[own].learning_rate.assign(rate)
            optimizers[own].apply_gradients(zip(tape.gradient(mean, variables), variables, strict=True))

    return step
