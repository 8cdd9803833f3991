"""Switches the device off and on before every question.

Breaks: heads that a pseudo-random generator draws whose seed is the same at every power-up. The first draw is then
always the same, so all answers come from one head, and a clean clone of that head follows. A true random source draws
on through any power cycle, and a keyed draw has no state.
"""

from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import AttackInputs, check_distinct, choose_images
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option


@ATTACKS.register("reset")
@dataclass(frozen=True)
class Reset:
    """Asks each image once, as the first question after a power cycle.

    Notes `answers_without_resets` and `answers_after_resets`: how many byte-distinct answers one image got from
    `probes` calls. Many and then one: the seed is constant.
    """

    probes: int = option(
        24, "calls of each kind with the first image, to find out whether power cycles choose the head", 2, 1000
    )

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """See `Attack.check`."""
        check_distinct(config, pool_images, in_distribution_images)
        if config.budget and config.budget <= 2 * self.probes:
            raise UsageError(
                f"attacks.{config.name}.budget is {config.budget}, and {2 * self.probes} calls are probes; allowed: "
                f"{2 * self.probes + 1} or more"
            )

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.transfer import train_clone

        images = choose_images(inputs)
        repeated = inputs.oracle.query(np.repeat(images[:1], self.probes, axis=0))
        after = np.concatenate([ask_after_reset(inputs, images[:1]) for _ in range(self.probes)])
        inputs.note("answers_without_resets", len(np.unique(repeated, axis=0)))
        inputs.note("answers_after_resets", len(np.unique(after, axis=0)))
        if inputs.config.budget:
            images = images[: inputs.config.budget - 2 * self.probes]
        answers = [ask_after_reset(inputs, images[index : index + 1]) for index in range(len(images))]
        train_clone(inputs, images, np.concatenate(answers))


def ask_after_reset(inputs: AttackInputs, images: np.ndarray) -> np.ndarray:
    """Power-cycles the device and asks about images, uint8 [N, height, width, channels]."""
    inputs.oracle.reset()
    return inputs.oracle.query(images)
