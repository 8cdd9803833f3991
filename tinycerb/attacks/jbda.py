"""JBDA (Papernot et al., AsiaCCS 2017): a few seed images grow along the clone's own gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.checks import check_seeds
from tinycerb.attacks.building_blocks.transfer import train_clone, train_selector
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.options import check_options, option

if TYPE_CHECKING:
    from tinycerb.keras_models.legacy import keras

_AT_ONCE = 500


def seed_images(inputs: AttackInputs, seeds: int) -> np.ndarray:
    """Returns `seeds` random images of the victim's kind if there are any, else of the pool; all of them for 0."""
    source = inputs.in_distribution if len(inputs.in_distribution) else inputs.pool
    return source[np.random.default_rng(inputs.seed).permutation(len(source))[: seeds or None]]


def gradient_signs(clone: keras.Model) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Returns the function from uint8 images and labels [N] to the signs of d S(x)_label / dx, float32 [N, ...].

    The logarithm of the posterior is differentiated: the same signs, and none is lost where it is almost 0 or 1.
    """
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def signs(images, labels):
        batch = tf.cast(images, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            tape.watch(batch)
            chosen = -tf.nn.sparse_softmax_cross_entropy_with_logits(labels, clone(batch, training=False))
        return tf.sign(tape.gradient(chosen, batch))

    def in_batches(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), _AT_ONCE)
        return np.concatenate(
            [signs(images[start : start + _AT_ONCE], labels[start : start + _AT_ONCE]).numpy() for start in starts]
        )

    return in_batches


def moved(images: np.ndarray, directions: np.ndarray, step: float) -> np.ndarray:
    """Returns uint8 images moved by `step` (in units of the whole range) along directions of -1, 0 and 1."""
    return np.clip(np.rint(images + 255 * step * directions), 0, 255).astype(np.uint8)


@ATTACKS.register("jbda")
@dataclass(frozen=True)
class Jbda:
    """Trains a clone, adds x + step * sign(d S(x)_y / dx) to the images x of answer y, asks about those; again.

    Seeds are images of the victim's kind if the attacker has any (then T2), else of the pool. Each round doubles the
    images until the budget is spent; the last takes a random part. Every image is asked once. Published
    (section 5 of the paper): 150 seeds, step 0.1, ten epochs a round, 6,400 images after six rounds.
    """

    seeds: int = option(150, "images to start from", 0, 10**7, zero="all")
    step: float = option(0.1, "step of every pixel, in units of the whole range", 1 / 255, 1)
    epochs_per_round: int = option(10, "epochs of the clone that grows with the images", 1, 1000)
    reservoir_after: int = option(
        0, "rounds after which only some random images are moved per round", 0, 1000, zero="never"
    )
    reservoir: int = option(400, "how many those are; published: 400, after three rounds", 1, 10**7)
    flip_every: int = option(0, "rounds after which the step changes its sign; published: 5", 0, 1000, zero="never")

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """Raises a UsageError if there are no seeds or the budget is below their number."""
        check_seeds(config, pool_images, in_distribution_images, self.seeds)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        random = np.random.default_rng([inputs.seed, 6])
        images = seed_images(inputs, self.seeds)
        answers = inputs.oracle.query(images)
        clone = inputs.build() if len(images) < inputs.config.budget else None
        signs = gradient_signs(clone) if clone is not None else None
        current = 0
        while clone is not None and signs is not None and len(images) < inputs.config.budget:
            train_selector(inputs, images, answers, self.epochs_per_round, clone)
            count = min(self.wanted(current, len(images)), inputs.config.budget - len(images))
            chosen = random.permutation(len(images))[:count]
            parents, labels = images[chosen], answers[chosen].argmax(axis=1).astype(np.int32)
            children = moved(parents, signs(parents, labels), self.signed_step(current))
            images = np.concatenate([images, children])
            answers = np.concatenate([answers, inputs.oracle.query(children)])
            current += 1
        train_clone(inputs, images, answers)

    def wanted(self, current: int, images: int) -> int:
        """Returns how many images are moved in a round, counted from 0."""
        held = 0 < self.reservoir_after <= current
        return min(images, self.reservoir) if held else images

    def signed_step(self, current: int) -> float:
        """Returns the step of a round, counted from 0."""
        turned = self.flip_every and (current // self.flip_every) % 2
        return -self.step if turned else self.step
