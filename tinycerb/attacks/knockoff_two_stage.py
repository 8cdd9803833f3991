"""KnockoffNets trained with more care: low resolution first, and answers at another temperature.

Two parts of E3 (Efficient and Effective Model Extraction, arXiv 2409.14122) that cost no question; its choice of images
by language and its alignment at test time are not here.
"""

from dataclasses import dataclass, replace

import numpy as np

from tinycerb.attacks.base import FLOOR, AttackInputs, check_distinct, choose_images
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option


def at_half_resolution(images: np.ndarray) -> np.ndarray:
    """Returns images with each square of 2 x 2 pixels made even, as if halved and scaled up again.

    Args:
        images: uint8 [N, height, width, channels]; an odd side's last pixels count twice.
    """
    height, width = images.shape[1:3]
    even = np.pad(images, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge").astype(np.uint16)
    half = (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2] + 2) // 4
    return half.astype(np.uint8).repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width]


def at_temperature(answers: np.ndarray, temperature: float) -> np.ndarray:
    """Returns p_k^(1/T) / sum_j p_j^(1/T), float32 [N, classes]: softer for T above 1, sharper below.

    Args:
        answers: float32 [N, classes]; those below half a code of 1/256 are held there, unless T is 1.
        temperature: T.
    """
    if temperature == 1:
        return answers
    powers = np.maximum(answers.astype(np.float64), FLOOR) ** (1 / temperature)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@ATTACKS.register("knockoff_two_stage")
@dataclass(frozen=True)
class KnockoffTwoStage:
    """Asks as `knockoff` does; the clone sees coarse images first, and learns answers that were softened or sharpened.

    The stages are trainings of their own: each has an optimiser, whose rate falls along a cosine. With both options off
    it is `knockoff`, byte for byte.
    """

    low_resolution_epochs: int = option(
        0, "of the clone's epochs, how many come first and see images of half the resolution", 0, 10000, zero="none"
    )
    temperature: float = option(
        1.0,
        "T of p^(1/T), to which answers are brought before they are learned: softer above 1, sharper below",
        0.05,
        20,
    )

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """See `Attack.check`."""
        check_distinct(config, pool_images, in_distribution_images)
        if self.low_resolution_epochs >= config.epochs:
            raise UsageError(
                f"attacks.{config.name}: option low_resolution_epochs is {self.low_resolution_epochs} of "
                f"{config.epochs} epochs; allowed: 0 to {config.epochs - 1}, so that some see images as they are"
            )

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.distill import distill, settings_of

        images = choose_images(inputs)
        answers = at_temperature(inputs.oracle.query(images), self.temperature)
        members, settings, low = inputs.build_members(), settings_of(inputs), self.low_resolution_epochs
        if low:
            first = replace(settings, epochs=low)
            coarse = at_half_resolution(images)
            distill(members, coarse, answers, first, inputs.seed, inputs.on_epoch, inputs.on_progress)
        distill(
            members,
            images,
            answers,
            replace(settings, epochs=settings.epochs - low),
            inputs.seed,
            lambda epoch, predict: inputs.on_epoch(low + epoch, predict),
            inputs.on_progress,
        )
