"""JBDA-TR (Juuti et al., EuroS&P 2019): seeds grow towards random classes of the clone, in several small steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.checks import check_range, check_seeds
from tinycerb.attacks.building_blocks.transfer import train_clone, train_selector
from tinycerb.attacks.jbda import gradient_signs, seed_images
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig

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

    Attributes:
        seeds: images to start from, 0 for all that there are.
        children: of every image and round.
        reach: how far a pixel may move, in units of the whole range.
        steps: of projected gradient descent.
        epochs_per_round: of the clone that gives the gradient.
    """

    seeds: int = 1000
    children: int = 3
    reach: float = 0.1
    steps: int = 8
    epochs_per_round: int = 5

    def __post_init__(self) -> None:
        check_range("jbda_tr", "seeds", self.seeds, 0, 10**7)
        check_range("jbda_tr", "children", self.children, 1, 100)
        check_range("jbda_tr", "reach", self.reach, 1 / 255, 1)
        check_range("jbda_tr", "steps", self.steps, 1, 1000)
        check_range("jbda_tr", "epochs_per_round", self.epochs_per_round, 1, 1000)

    def check(self, config: AttackConfig, pool_images: int, own_images: int) -> None:
        """Raises a UsageError if there are no seeds or the budget is below their number."""
        check_seeds(config, pool_images, own_images, self.seeds)

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
