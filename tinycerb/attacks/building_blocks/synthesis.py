"""What data-free attacks share: students that learn batch by batch, and a memory of all answers."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tinycerb.attacks.base import FLOOR, AttackInputs
from tinycerb.attacks.building_blocks.distill import Loss, distill, settings_of
from tinycerb.events import Progress
from tinycerb.keras_models.legacy import keras
from tinycerb.training.objective import scale_images


def floored(posteriors: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Returns posteriors of at least half a code, [batch, classes]."""
    return tf.maximum(posteriors, FLOOR)


def centred_log(posteriors: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Returns logits up to a constant, log p - mean_k log p, of posteriors in steps of 1/256; [batch, classes]."""
    logs = tf.math.log(floored(posteriors))
    return logs - tf.reduce_mean(logs, axis=1, keepdims=True)


def absolute_difference(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """What DFME minimises: mean_k |wanted_k - logit_k| of centred log posteriors and centred logits; [batch]."""
    return tf.reduce_mean(tf.abs(wanted - logits + tf.reduce_mean(logits, axis=1, keepdims=True)), axis=1)


def divergence(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """What MAZE minimises: KL(wanted || softmax(logits)), [batch]; `wanted` is above 0."""
    return tf.reduce_sum(wanted * (tf.math.log(wanted) - tf.nn.log_softmax(logits)), axis=1)


class Students:
    """Networks that learn from the same batches, each with its own Adam; the rate falls with the budget (cosine)."""

    def __init__(self, members: Sequence[keras.Model], loss: Loss) -> None:
        """Compiles their step."""
        self.members = members
        self._loss = loss
        self._optimizers = [keras.optimizers.Adam() for _ in members]
        for optimizer, member in zip(self._optimizers, members, strict=True):
            optimizer.build(member.trainable_variables)
        self._step = tf.function(self._learn, reduce_retracing=True)

    def learn(self, images: np.ndarray, answers: np.ndarray, learning_rate: float) -> None:
        """Takes one step on uint8 images [N, height, width, channels] and answers [N, classes]."""
        self._step(tf.constant(images), tf.constant(answers), tf.constant(learning_rate, tf.float32))

    def _learn(self, images, answers, learning_rate):
        batch = scale_images(images)
        for optimizer, member in zip(self._optimizers, self.members, strict=True):
            optimizer.learning_rate.assign(learning_rate)
            with tf.GradientTape() as tape:
                value = tf.reduce_mean(self._loss(answers, member(batch, training=True)))
            variables = member.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))


class Questions:
    """Asks within the budget and remembers every image with its answer."""

    def __init__(self, inputs: AttackInputs, understand: Callable[[np.ndarray], np.ndarray] | None = None) -> None:
        """Starts with nothing asked.

        Args:
            inputs: what the attacker has.
            understand: what is made of answers before they are remembered; nothing if left out.
        """
        self._inputs = inputs
        self._understand = understand or (lambda answers: answers)
        self._random = np.random.default_rng([inputs.seed, 4])
        self._images: list[np.ndarray] = []
        self._answers: list[np.ndarray] = []
        self.asked = 0

    @property
    def left(self) -> int:
        """Images that may still be asked."""
        return self._inputs.config.budget - self.asked

    def learning_rate(self) -> float:
        """Returns where the cosine over the budget stands."""
        return self._inputs.learning_rate * 0.5 * (1 + math.cos(math.pi * self.asked / self._inputs.config.budget))

    def ask(self, images: np.ndarray) -> np.ndarray:
        """Asks about images, uint8 [N, height, width, channels], at most as many as are left; float32 [N, classes]."""
        answers = self._understand(self._inputs.oracle.query(images))
        self.asked += len(images)
        self._inputs.on_progress(Progress(self.asked, self._inputs.config.budget, "images made and asked"))
        self._images.append(images)
        self._answers.append(answers)
        return answers

    def replay(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns a random batch of remembered images and answers."""
        # Batches are of one size but for the last one.
        size = len(self._images[0])
        wanted = self._random.integers(0, sum(map(len, self._images)), count)
        pairs = [divmod(int(index), size) for index in wanted]
        images = np.stack([self._images[batch][row] for batch, row in pairs])
        return images, np.stack([self._answers[batch][row] for batch, row in pairs])

    def finish(self, students: Students) -> None:
        """Trains the students on all remembered answers for the configured epochs, and lets them be measured."""
        inputs = self._inputs
        distill(
            students.members,
            np.concatenate(self._images),
            np.concatenate(self._answers),
            settings_of(inputs),
            inputs.seed,
            inputs.on_epoch,
            inputs.on_progress,
        )
