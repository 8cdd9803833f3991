"""Trains a clone on images and the answers that a victim gave to them."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from keras_models import keras
from tinycerb.events import Progress, Report
from tinycerb.training.objective import scale_images

# Called after each epoch with a function from uint8 images to labels; an attack never learns what it is for.
OnEpoch = Callable[[Callable[[np.ndarray], np.ndarray]], None]


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


def distill(
    student: keras.Model,
    images: np.ndarray,
    answers: np.ndarray,
    settings: DistillSettings,
    seed: int,
    on_epoch: OnEpoch,
    report: Report,
) -> None:
    """Trains `student` in place with soft cross-entropy, as KnockoffNets do.

    Args:
        student: float images in 0..1 to logits.
        images: uint8 [N, height, width, channels].
        answers: float32 [N, classes], posteriors or one-hot labels.
        settings: epochs, batch and learning rate.
        seed: order of the images.
        on_epoch: called after each epoch.
        report: takes progress events.
    """
    optimizer = keras.optimizers.Adam()
    optimizer.build(student.trainable_variables)
    all_images, all_answers = tf.constant(images), tf.constant(answers)
    # A class that never answers still has half a code of 1/256.
    frequencies = np.maximum(answers.mean(axis=0), 1 / 512)
    offset = tf.constant(settings.prior_correction * np.log(frequencies), tf.float32)

    @tf.function
    def step(indices, learning_rate):
        optimizer.learning_rate.assign(learning_rate)
        with tf.GradientTape() as tape:
            logits = student(scale_images(tf.gather(all_images, indices)), training=True)
            losses = tf.nn.softmax_cross_entropy_with_logits(tf.gather(all_answers, indices), logits + offset)
            loss = tf.reduce_mean(losses)
        variables = student.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    @tf.function(reduce_retracing=True)
    def label(batch):
        return tf.argmax(student(scale_images(batch), training=False), axis=1)

    def predict(batch: np.ndarray) -> np.ndarray:
        return np.concatenate([label(batch[start : start + 500]).numpy() for start in range(0, len(batch), 500)])

    batch_size = min(settings.batch_size, len(images))
    steps = len(images) // batch_size
    last_note = time.monotonic()
    for epoch in range(settings.epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(images)).astype(np.int32)
        for index in range(steps):
            position = (epoch * steps + index) / (settings.epochs * steps)
            learning_rate = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * position))
            chosen = order[index * batch_size : (index + 1) * batch_size]
            loss = step(tf.constant(chosen), tf.constant(learning_rate, tf.float32))
            if time.monotonic() - last_note > 0.5:
                last_note = time.monotonic()
                note = f"clone epoch {epoch + 1}/{settings.epochs}, loss {float(loss):.3f}"
                report(Progress(epoch * steps + index + 1, settings.epochs * steps, note))
        on_epoch(predict)
