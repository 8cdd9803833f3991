"""The contrastive losses of SwiftThief (Lee, Han and Lee, IJCAI 2024)."""

import numpy as np
import tensorflow as tf

from tinycerb.attacks.base import FLOOR
from tinycerb.attacks.building_blocks.features import features_of
from tinycerb.attacks.smoothing import shifted
from tinycerb.keras_models.legacy import keras
from tinycerb.training.objective import scale_images

_PROJECTION, _PREDICTION = 256, 64
_BATCH = 128
_SHIFT = 2
_SHARPNESS_WEIGHT, _SHARPNESS_REACH = 0.01, 0.01
# Effective number of samples (Cui et al., CVPR 2019).
_BETA = 0.99


def soft_weights(answers: tf.Tensor) -> tf.Tensor:
    """Returns w_ij = (1 - H_i)(1 - H_j) cos(y_i, y_j), H the entropy over log K, 0 for i = j; [batch, batch]."""
    logs = tf.math.log(tf.maximum(answers, FLOOR))
    classes = tf.cast(tf.shape(answers)[1], tf.float32)
    certain = 1 + tf.reduce_sum(answers * logs, axis=1) / tf.math.log(classes)
    unit = tf.math.l2_normalize(answers, axis=1)
    weights = certain[:, None] * certain[None] * tf.matmul(unit, unit, transpose_b=True)
    return tf.linalg.set_diag(weights, tf.zeros_like(certain))


def class_weights(answers: np.ndarray) -> np.ndarray:
    """Returns (1 - beta) / (1 - beta^(n_c + 1)) for each class c that n_c answers name, float32 [classes]."""
    counts = np.bincount(answers.argmax(axis=1), minlength=answers.shape[1])
    return ((1 - _BETA) / (1 - _BETA ** (counts + 1))).astype(np.float32)


class Contrast:
    """Teaches a student's features; its projection and prediction layers are thrown away afterwards."""

    def __init__(self, student: keras.Model, learning_rate: float) -> None:
        """Compiles the step.

        Args:
            student: images in 0..1 to logits; it is trained in place.
            learning_rate: of Adam.
        """
        self._student = student
        features = features_of(student)
        width = int(features.output_shape[-1])
        projection = keras.Sequential(
            [
                keras.layers.Dense(_PROJECTION, use_bias=False, input_shape=(width,)),
                keras.layers.BatchNormalization(momentum=0.9),
                keras.layers.ReLU(),
                keras.layers.Dense(_PROJECTION, use_bias=False),
                keras.layers.BatchNormalization(momentum=0.9, center=False, scale=False),
            ]
        )
        self._project = keras.Sequential([features, projection])
        self._predict = keras.Sequential(
            [
                keras.layers.Dense(_PREDICTION, use_bias=False, input_shape=(_PROJECTION,)),
                keras.layers.BatchNormalization(momentum=0.9),
                keras.layers.ReLU(),
                keras.layers.Dense(_PROJECTION),
            ]
        )
        together = [*student.trainable_variables, *projection.trainable_variables, *self._predict.trainable_variables]
        self._variables = together
        self._optimizer = keras.optimizers.Adam(learning_rate)
        self._optimizer.build(together)
        self._step = tf.function(self._learn, reduce_retracing=True)

    def learn(
        self,
        unasked: np.ndarray,
        asked: np.ndarray,
        answers: np.ndarray,
        epochs: int,
        random: np.random.Generator,
    ) -> None:
        """Passes `epochs` times over unasked images, as many asked ones beside them.

        Args:
            unasked: uint8 [N, height, width, channels].
            asked: uint8 [M, height, width, channels].
            answers: float32 [M, classes].
            epochs: passes over the unasked images, or over the asked ones where there are no others.
            random: order and moves.
        """
        others = unasked if len(unasked) else asked
        size = min(_BATCH, len(others), len(asked))
        weights = tf.constant(class_weights(answers))
        for _ in range(epochs):
            order = random.permutation(len(others))
            for start in range(0, len(others) - size + 1, size):
                batch = others[order[start : start + size]]
                rows = random.integers(0, len(asked), size)
                views = [shifted(images, _SHIFT, True, random) for images in (batch, batch, asked[rows], asked[rows])]
                self._step(*map(tf.constant, views), tf.constant(answers[rows]), weights)

    def _learn(self, first, second, asked_first, asked_second, answers, weights):
        first, second, asked_first, asked_second = map(scale_images, (first, second, asked_first, asked_second))
        with tf.GradientTape() as tape:
            loss = self._simsiam(first, second) + self._soft_supervised(asked_first, asked_second, answers)
            loss += _SHARPNESS_WEIGHT * self._sharpness(asked_first, answers, weights)
        gradients = tape.gradient(loss, self._variables)
        self._optimizer.apply_gradients(zip(gradients, self._variables, strict=True))

    def _views(self, images):
        projected = self._project(images, training=True)
        predicted = tf.math.l2_normalize(self._predict(projected, training=True), axis=1)
        return predicted, tf.stop_gradient(tf.math.l2_normalize(projected, axis=1))

    def _simsiam(self, first, second):
        """Chen and He, CVPR 2021, equations 1 and 2."""
        (p1, z1), (p2, z2) = self._views(first), self._views(second)
        return -0.5 * tf.reduce_mean(tf.reduce_sum(p1 * z2 + p2 * z1, axis=1))

    def _soft_supervised(self, first, second, answers):
        (p1, _), (_, z2) = self._views(first), self._views(second)
        weights = soft_weights(answers)
        alike = tf.matmul(p1, z2, transpose_b=True)
        return -tf.reduce_sum(weights * alike) / tf.maximum(tf.reduce_sum(weights), 1e-6)

    def _sharpness(self, images, answers, weights):
        with tf.GradientTape() as tape:
            tape.watch(images)
            # Only the direction is wanted: no gradient flows through it.
            loss = tf.nn.softmax_cross_entropy_with_logits(answers, self._student(images, training=False))
        away = images + _SHARPNESS_REACH * tf.stop_gradient(tf.sign(tape.gradient(loss, images)))
        there = tf.nn.softmax_cross_entropy_with_logits(answers, self._student(away, training=False))
        return tf.reduce_mean(tf.gather(weights, tf.argmax(answers, axis=1)) * there)
