"""What the heads learn the task by: cross-entropy with the labels, and with a teacher's answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.datasets.images import LabelledImages

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Distillation:
    """Learning from a larger network's answers (Hinton, Vinyals and Dean, 2015).

    Attributes:
        teacher: float images [N, height, width, channels] to logits [N, classes]; asked about the images as the
            student sees them, augmentation included (Beyer et al., CVPR 2022).
        weight: share of the loss that is the teacher's, 0 to 1.
        temperature: divides both logits.
    """

    teacher: Callable[[tf.Tensor], tf.Tensor]
    weight: float
    temperature: float


@dataclass(frozen=True)
class TaskLoss:
    """The loss of the heads that learn the task, a mean over them and over the images.

    Attributes:
        label_smoothing: share of each label that goes to all classes alike (Szegedy et al., CVPR 2016).
        class_weights: float32 [classes], what an image of each class counts, or None for all alike.
        distillation: a teacher's part, or None.
    """

    label_smoothing: float = 0.0
    class_weights: np.ndarray | None = None
    distillation: Distillation | None = None

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, heads: Sequence[tf.Tensor]) -> tf.Tensor:
        """Returns a scalar.

        Args:
            images: float32 [N, height, width, channels] in 0..1.
            labels: int32 [N].
            heads: per head, logits [N, classes].
        """
        import tensorflow as tf

        losses = [self._of_labels(labels, head) for head in heads]
        if self.distillation:
            share, taught = self.distillation.weight, self._of_teacher(images, heads)
            losses = [(1.0 - share) * mine + share * other for mine, other in zip(losses, taught, strict=True)]
        if self.class_weights is not None:
            weights = tf.gather(tf.constant(self.class_weights), labels)
            losses = [weights * loss for loss in losses]
        return tf.reduce_mean(tf.stack(losses))

    def _of_labels(self, labels: tf.Tensor, head: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        if not self.label_smoothing:
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, head)
        classes = int(head.shape[1] or 0)
        even = self.label_smoothing / classes
        return tf.nn.softmax_cross_entropy_with_logits(
            tf.one_hot(labels, classes, 1.0 - self.label_smoothing + even, even), head
        )

    def _of_teacher(self, images: tf.Tensor, heads: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Kullback-Leibler divergences, times the squared temperature so that gradients keep their size."""
        import tensorflow as tf

        if self.distillation is None:
            return []
        temperature = self.distillation.temperature
        logits = self.distillation.teacher(images) / temperature
        posterior, entropy_term = tf.nn.softmax(logits), tf.nn.log_softmax(logits)
        return [
            temperature**2 * tf.reduce_sum(posterior * (entropy_term - tf.nn.log_softmax(head / temperature)), axis=1)
            for head in heads
        ]


def balanced_weights(data: LabelledImages, classes: int) -> np.ndarray:
    """Returns weights with which every class counts the same, float32 [classes], 1 on the average of all images."""
    counts = np.bincount(data.labels, minlength=classes)
    return (len(data.labels) / (classes * np.maximum(counts, 1))).astype(np.float32)
