"""Smoothing (an attack of ModelGuard, Tang et al., USENIX Security 2024): the mean answer to altered copies."""

from dataclasses import dataclass, replace

import numpy as np

from tinycerb.attacks.base import AttackInputs, check_distinct, choose_images
from tinycerb.attacks.building_blocks.transfer import train_clone
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option


def shifted(images: np.ndarray, most: int, flip: bool, random: np.random.Generator) -> np.ndarray:
    """Returns each image moved by up to `most` pixels, the border repeated, and mirrored by chance if `flip`.

    Args:
        images: uint8 [N, height, width, channels].
        most: pixels along each axis.
        flip: whether half of them are mirrored left to right.
        random: draws the moves.
    """
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")
    down, right = random.integers(0, 2 * most + 1, (2, len(images)))
    rows = (down[:, None] + np.arange(height))[:, :, None]
    columns = (right[:, None] + np.arange(width))[:, None, :]
    moved = padded[np.arange(len(images))[:, None, None], rows, columns]
    mirrored = random.random(len(images)) < (0.5 if flip else 0)
    moved[mirrored] = moved[mirrored][:, :, ::-1]
    return moved


@ATTACKS.register("smoothing")
@dataclass(frozen=True)
class Smoothing:
    """Asks about several altered copies of each image and gives their mean answer to the unaltered one.

    All copies are charged; ModelGuard's own count leaves the repeats out. Published: three copies.
    """

    copies: int = option(3, "altered copies of each image", 1, 64)
    shift: int = option(2, "pixels by which a copy is moved at most", 0, 16)
    flip: bool = option(False, "copies are mirrored by chance")

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """Raises a UsageError if the budget is above all images times the copies, or below one image's copies."""
        if 0 < config.budget < self.copies:
            raise UsageError(
                f"attacks.{config.name}.budget is {config.budget}; allowed: 0 (all images) or {self.copies} "
                "(the copies of one image) and more"
            )
        check_distinct(replace(config, budget=config.budget // self.copies), pool_images, in_distribution_images)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        images = choose_images(
            replace(inputs, config=replace(inputs.config, budget=inputs.config.budget // self.copies))
        )
        random = np.random.default_rng([inputs.seed, 5])
        answers = [inputs.oracle.query(shifted(images, self.shift, self.flip, random)) for _ in range(self.copies)]
        train_clone(inputs, images, np.mean(answers, axis=0, dtype=np.float32))
