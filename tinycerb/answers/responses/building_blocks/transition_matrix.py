"""Learns the noise transition matrix of the response `ntm` against a surrogate of the thief's student.

After EMMA (Wu and others, CVPR 2024), from its abstract and settings: a two-level problem. A student is trained on
answers that went through the matrix T; T is moved so that the student is wrong on the task. Here the student is a
softmax regression on a surrogate's features, trained by a few whole-batch steps through which the derivative is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tinycerb.keras_models.legacy import keras

_AT_ONCE = 500


@dataclass(frozen=True)
class LearningSettings:
    """How the matrix is learned.

    Attributes:
        rounds: steps of Adam on the matrix.
        learning_rate: of those steps.
        student_steps: gradient steps of the student in each round, all differentiated through.
        student_rate: their step length, on features that are whitened to length 1.
        weight_decay: of the student, so that its optimum is unique.
    """

    rounds: int = 50
    learning_rate: float = 0.3
    student_steps: int = 20
    student_rate: float = 4.0
    weight_decay: float = 1e-3


DEFAULTS = LearningSettings()


def features_of(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns what a network's last layer reads, float32 [N, features], for uint8 images."""
    features = keras.Model(network.input, network.layers[-1].input)
    starts = range(0, len(images), _AT_ONCE)
    scaled = (images[start : start + _AT_ONCE].astype(np.float32) / 255 for start in starts)
    return np.concatenate([np.asarray(features(batch, training=False)) for batch in scaled])


def learn_transitions(
    noise: float,
    asked_features: np.ndarray,
    posteriors: np.ndarray,
    own_features: np.ndarray,
    labels: np.ndarray,
    settings: LearningSettings = DEFAULTS,
) -> np.ndarray:
    """Returns T = (1 - noise) I + noise R; R is what is learned, a distribution over the other classes in each row.

    Args:
        noise: probability that a class is told as another one, 0 to 1: what users pay is fixed, where it goes is not.
        asked_features: float [N, features], what a student makes of the images that a thief may ask about.
        posteriors: float [N, classes], the victim's clean answers to them.
        own_features: float [M, features], the same of images of the task.
        labels: int [M], their classes.
        settings: how it is learned.

    Returns:
        float64 [classes, classes], rows that sum to 1.
    """
    classes = posteriors.shape[1]
    mean, length = asked_features.mean(axis=0), np.linalg.norm(asked_features - asked_features.mean(axis=0), axis=1)
    asked, own = (_prepared(features, mean, float(length.mean())) for features in (asked_features, own_features))
    answers, wanted = tf.constant(posteriors, tf.float32), tf.constant(labels.astype(np.int32))
    # Uneven from the start: from an even matrix every class looks alike and nothing tells where to go.
    scores = tf.Variable(tf.random.stateless_normal((classes, classes), (classes, 1)) * 0.1)
    optimizer = keras.optimizers.Adam(settings.learning_rate)
    optimizer.build([scores])

    @tf.function
    def improve() -> None:
        with tf.GradientTape() as tape:
            student = _trained_student(asked, answers @ _transitions(scores, noise), settings)
            posterior = tf.nn.softmax(own @ student)
            # The probability of the true class, not its logarithm: one image far off must not pay for all others.
            right = tf.reduce_mean(tf.gather(posterior, wanted, batch_dims=1))
        optimizer.apply_gradients([(tape.gradient(right, scores), scores)])

    for _ in range(settings.rounds):
        improve()
    transitions = _transitions(scores, noise).numpy().astype(np.float64)
    return transitions / transitions.sum(axis=1, keepdims=True)


def _prepared(features: np.ndarray, mean: np.ndarray, length: float) -> tf.Tensor:
    centred = (features - mean) / max(length, 1e-9)
    return tf.constant(np.concatenate([centred, np.ones((len(centred), 1))], axis=1), tf.float32)


def _transitions(scores: tf.Tensor, noise: float) -> tf.Tensor:
    classes = tf.shape(scores)[0]
    others = tf.nn.softmax(scores - 1e9 * tf.eye(classes))
    return (1 - noise) * tf.eye(classes) + noise * others


def _trained_student(features: tf.Tensor, answers: tf.Tensor, settings: LearningSettings) -> tf.Tensor:
    """Softmax regression from zero: weights [features, classes]."""
    weights = tf.zeros((tf.shape(features)[1], tf.shape(answers)[1]))
    for _ in range(settings.student_steps):
        wrong = tf.nn.softmax(features @ weights) - answers
        gradient = tf.matmul(features, wrong, transpose_a=True) / tf.cast(tf.shape(features)[0], tf.float32)
        weights -= settings.student_rate * (gradient + settings.weight_decay * weights)
    return weights
