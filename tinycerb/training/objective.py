"""One training step: the loss of every head on the task, plus the defence's term off it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tinycerb.compression.pruner import Pruner
from tinycerb.datasets.images import LabelledImages
from tinycerb.defenses.base import Batch, LossTerms
from tinycerb.keras_models.legacy import keras
from tinycerb.training.augmentation import augment
from tinycerb.training.conflicts import project_conflicts
from tinycerb.training.recipe import Recipe
from tinycerb.training.weight_average import WeightAverage

_NO_DRAW = np.zeros(2, np.int32)


@dataclass(frozen=True)
class ScalePenalty:
    """L1 pressure on batch-norm scales (network slimming, Liu et al., ICCV 2017, equation 1).

    Attributes:
        weight: its weight in the loss.
        scales: the scales, each [channels].
    """

    weight: float = 0.0
    scales: Sequence[tf.Variable] = ()

    def __call__(self) -> tf.Tensor | float:
        """Returns the term to add to the loss."""
        return self.weight * tf.add_n([tf.reduce_sum(tf.abs(scale)) for scale in self.scales]) if self.scales else 0.0


class TrainingStep:
    """A compiled step over image tensors that stay in memory."""

    def __init__(
        self,
        model: keras.Model,
        terms: LossTerms,
        data: LabelledImages,
        other_images: np.ndarray,
        pruner: Pruner,
        penalty: ScalePenalty | None = None,
        projects: bool = False,
        task_heads: int | None = None,
        recipe: Recipe | None = None,
    ) -> None:
        """Compiles the step.

        Args:
            model: images to a list of logits, or to one tensor for one head.
            terms: the defence's additional losses.
            data: the training images.
            other_images: out-of-distribution images, uint8; empty for defences that want none.
            pruner: sees the gradients, and holds what is gone after each step.
            penalty: pressure on batch-norm scales.
            projects: whether opposed gradients of task and terms are projected instead of added.
            task_heads: how many heads, from the first, learn the task; all by default.
            recipe: how they learn it; by default with Adam, from the images and labels as they are.
        """
        self._recipe = recipe or Recipe()
        self._model = model
        self._terms = terms
        self._projects = projects
        self._task_heads = task_heads
        self._images = tf.constant(data.images)
        self._labels = tf.constant(data.labels)
        self._other_images = tf.constant(other_images)
        self._pruner = pruner
        self._penalty = penalty or ScalePenalty()
        self.optimizer = self._recipe.optimizer.build(model.trainable_variables)
        decay = self._recipe.average_decay
        self.average = WeightAverage(model, decay) if decay else None
        self._run = tf.function(self._step)

    def __call__(
        self,
        indices: np.ndarray,
        other: np.ndarray,
        learning_rate: float,
        defense_weight: float,
        draw: np.ndarray = _NO_DRAW,
    ) -> tuple[float, float]:
        """Takes one step; returns the mean task loss of the heads and the defence's unweighted term.

        Args:
            indices: int32 [N], the training images.
            other: int32 [M], the out-of-distribution images.
            learning_rate: of this step.
            defense_weight: weight of the defence's term.
            draw: int32 [2], seeds augmentation.
        """
        numbers = (tf.constant(learning_rate, tf.float32), tf.constant(defense_weight, tf.float32))
        task, term = self._run(tf.constant(indices), tf.constant(other), *numbers, tf.constant(draw))
        return float(task), float(term)

    def _step(self, indices, other, learning_rate, defense_weight, draw):
        self.optimizer.learning_rate.assign(learning_rate)
        images, labels = tf.gather(self._images, indices), tf.gather(self._labels, indices)
        count = tf.shape(labels)[0]
        if len(self._other_images):
            # One pass over both kinds: batch normalisation must not see two distributions in turn.
            images = tf.concat([images, tf.gather(self._other_images, other)], axis=0)
        # All of them: what changed the task's images alone would tell them from the others, and images as they come
        # from a camera would pass for foreign ones. A teacher's answer to an image holds for its changed copies.
        images = augment(self._recipe.augmentation, scale_images(images), draw)
        variables = self._model.trainable_variables
        with tf.GradientTape(persistent=self._projects) as tape:
            logits = as_list(self._model(images, training=True))
            taught = logits[: self._task_heads]
            task = self._recipe.loss(images[:count], labels, [head[:count] for head in taught])
            batch = Batch(
                images=images[:count],
                labels=labels,
                logits=[head[:count] for head in logits],
                other_images=images[count:],
                other_indices=other,
                other_logits=[head[count:] for head in logits],
            )
            terms = list(self._terms(batch))
            weighted = [defense_weight * term for term in terms]
            losses = [task + self._penalty(), *weighted] if self._projects else [task + self._penalty() + sum(weighted)]
        # Weights that no loss reads, a random head's, stay as they are.
        zero = tf.UnconnectedGradients.ZERO
        each: list[list[Any]] = [tape.gradient(loss, variables, unconnected_gradients=zero) for loss in losses]
        gradients = project_conflicts(each) if self._projects else each[0]
        self._pruner.observe(variables, gradients)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self._pruner.hold()
        if self.average:
            self.average.update()
        return task, tf.add_n(terms) if terms else tf.constant(0.0)


def scale_images(images: tf.Tensor) -> tf.Tensor:
    """Returns uint8 images as float32 in 0..1, the range that every model here takes."""
    return tf.cast(images, tf.float32) / 255.0


def as_list(outputs) -> list[tf.Tensor]:
    """Returns a model's outputs as a list, also when it has a single one."""
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


class LogitPredictor:
    """A float model, compiled once for inference."""

    def __init__(self, model: keras.Model, batch_size: int = 500) -> None:
        """Compiles the model (images to a list of logits, or to one tensor) for batches of that size."""
        self._batch_size = batch_size
        self._run = tf.function(
            lambda batch: tf.stack(as_list(model(scale_images(batch), training=False)), axis=1),
            reduce_retracing=True,
        )

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Returns logits, float32 [N, heads, classes], for uint8 images [N, height, width, channels]."""
        starts = range(0, len(images), self._batch_size)
        return np.concatenate([self._run(images[start : start + self._batch_size]).numpy() for start in starts])
