"""JBDA-TR (Juuti et al., EuroS&P 2019): seeds grow towards random classes of the clone, in several small steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.checks import check_seeds
from tinycerb.attacks.building_blocks.transfer import train_clone, train_selector
from tinycerb.attacks.jbda import gradient_signs, seed_images
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.options import check_options, option

if TYPE_CHECKING:
    Signs = Callable[[np.ndarray, np.ndarray], np.ndarray]


def towards(images: np.ndarray, labels: np.ndarray, signs: Signs, reach: float, steps: int) -> np.ndarray:
    """Returns uint8 images that were moved towards labels, no pixel by more than `reach` of the whole range.

    Projected gradient descent with steps of 1.85 * reach / steps, as ModelGuard runs it.
    """
    middle = images.astype(np.float32)
    current = middle
    for _ in range(steps):
        stepped = current + 255 * 1.85 * reach / steps * signs(current, labels)
        current = np.clip(stepped, np.maximum(middle - 255 * reach, 0), np.minimum(middle + 255 * reach, 255))
    return np.rint(current).astype(np.uint8)


@ATTACKS.register("jbda_tr")
@dataclass(frozen=True)
class JbdaTr:
    """In each round every image gets `children` that a clone, trained from scratch, would call a random class.

    Seeds as for `jbda`. The target is drawn once per child, as in the paper; ModelGuard's code draws it anew at every
    step. ModelGuard's settings: 1,000 seeds of the pool, three children, reach 0.1, eight steps, 50,000 calls.
    """

    seeds: int = option(1000, "images to start from", 0, 10**7, zero="all")
    children: int = option(3, "children of every image in a round", 1, 100)
    reach: float = option(0.1, "how far a pixel may move, in units of the whole range", 1 / 255, 1)
    steps: int = option(8, "steps of projected gradient descent", 1, 1000)
    epochs_per_round: int = option(5, "epochs of the clone that gives the gradient", 1, 1000)

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
        while len(images) < inputs.config.budget:
            clone = inputs.build()
            train_selector(inputs, images, answers, self.epochs_per_round, clone)
            # Whole families of siblings in random order, the last one cut off where the budget ends.
            parents = np.tile(random.permutation(len(images)), self.children)[: inputs.config.budget - len(images)]
            targets = random.integers(0, inputs.classes, len(parents)).astype(np.int32)
            children = towards(images[parents], targets, gradient_signs(clone), self.reach, self.steps)
            images = np.concatenate([images, children])
            answers = np.concatenate([answers, inputs.oracle.query(children)])
        train_clone(inputs, images, answers)
