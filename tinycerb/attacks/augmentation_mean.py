"""Asks about shifted, mirrored and noisy copies of an image, and averages the answers for the image itself.

Breaks: whatever changes abruptly between images that look alike: heads chosen by any hash of the input, answers that
a threshold switches. The published attack on hashed ensembles (EDM, Kariyappa et al., ICLR 2021) asks five affine
copies; a true posterior changes little under a pixel's shift, a re-drawn head does.
"""

from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.repeats import charged_option, check_repeats, choose_repeated
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.options import check_options, option


@ATTACKS.register("augmentation_mean")
@dataclass(frozen=True)
class AugmentationMean:
    """Asks about the image and n - 1 augmented copies: y(x) = 1/n sum_i T(a_i(x))."""

    repeats: int = option(5, "n, calls per image", 2, 100)
    shift: int = option(1, "largest shift in pixels, each way; what leaves the image enters on the other side", 0, 4)
    flip: bool = option(False, "every other copy is mirrored left to right")
    noise: float = option(4.0, "standard deviation of the noise, in codes of 0 to 255", 0, 64)
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
        copies = [images, *(self.augmented(images, copy, inputs.seed) for copy in range(1, self.repeats))]
        inputs.note("images", len(images))
        train_clone(inputs, images, np.mean([inputs.oracle.query(copy) for copy in copies], axis=0))

    def augmented(self, images: np.ndarray, copy: int, seed: int) -> np.ndarray:
        """Returns copy number `copy` of images, uint8 of the same shape."""
        rng = np.random.default_rng([seed, 13, copy])
        found = np.empty_like(images)
        for index, (down, right) in enumerate(rng.integers(-self.shift, self.shift + 1, (len(images), 2))):
            found[index] = np.roll(images[index], (down, right), (0, 1))
        if self.flip and copy % 2:
            found = found[:, :, ::-1]
        noisy = found + rng.normal(0, self.noise, images.shape)
        return np.rint(np.clip(noisy, 0, 255)).astype(np.uint8)
