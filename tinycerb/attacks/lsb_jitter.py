"""Asks about copies of an image that differ by one code in one pixel of the border, and averages.

Breaks: heads chosen by a hash of the input (ensembles with hashed members, `keyed`). The same question always meets
the same head, but a question that no eye can tell from it meets another. A hash of a coarse view (`coarse_keyed`)
stays where it is. Nothing is gained where the head is drawn by chance: there the same question would do.
"""

from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.repeats import charged_option, check_repeats, choose_repeated
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.options import check_options, option

# One code in one pixel moves the answer of one head by far less, L1.
_JUMP = 0.25


@ATTACKS.register("lsb_jitter")
@dataclass(frozen=True)
class LsbJitter:
    """Asks about the image and n - 1 jittered copies: y(x) = 1/n sum_i T(x + d_i), d_i one code at one border pixel.

    Notes `jumps`: the share of jittered copies whose answer is further than an L1 distance of 0.25 from the image's
    own, so another head's.
    """

    repeats: int = option(8, "n, calls per image", 2, 100)
    charged: bool = charged_option()

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """See `Attack.check`."""
        check_repeats(config, pool_images, in_distribution_images, self.repeats, self.charged)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.transfer import train_clone

        images = choose_repeated(inputs, self.repeats, self.charged)
        answers = np.stack([inputs.oracle.query(copy) for copy in jittered(images, self.repeats, inputs.seed)])
        jumps = np.abs(answers[1:] - answers[0]).sum(axis=2) > _JUMP
        inputs.note("images", len(images))
        inputs.note("jumps", float(jumps.mean()))
        train_clone(inputs, images, answers.mean(axis=0))


def jittered(images: np.ndarray, copies: int, seed: int) -> np.ndarray:
    """Returns the images and their jittered copies, uint8 [copies, N, height, width, channels].

    Each copy has another pixel of the border one code higher, or lower where it is 255; all copies differ.
    """
    count, height, width, channels = images.shape
    border = np.ones((height, width), bool)
    border[1:-1, 1:-1] = False
    places = np.flatnonzero(np.repeat(border.reshape(-1), channels))
    order = np.random.default_rng([seed, 11]).permuted(np.tile(places, (count, 1)), axis=1)
    found = np.tile(images.reshape(1, count, -1), (copies, 1, 1))
    rows = np.arange(count)
    for copy in range(1, copies):
        where = order[:, copy % len(places)]
        value = found[copy, rows, where].astype(np.int16)
        found[copy, rows, where] = np.where(value == 255, 254, value + 1)
    return found.reshape(copies, *images.shape)
