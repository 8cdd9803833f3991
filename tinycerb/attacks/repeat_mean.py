"""Repeats every question and trains on the mean of the answers.

Breaks: independent noise on answers and randomly drawn heads. The soft cross-entropy is linear in its target, so
already one answer per image leads to the mean head; n answers take the noise around it down by sqrt(n). Nothing is
gained where the same question meets the same head. At equal calls, fewer images are the price.
"""

from dataclasses import dataclass

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.repeats import (
    ask_repeatedly,
    charged_option,
    check_repeats,
    choose_repeated,
    mean_of_distinct,
)
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.options import check_options, option


@ATTACKS.register("repeat_mean")
@dataclass(frozen=True)
class RepeatMean:
    """Asks n times and averages: y(x) = 1/n sum_i T_i(x)."""

    repeats: int = option(8, "n, how often each image is asked", 1, 1000)
    charged: bool = charged_option()
    distinct: bool = option(
        False,
        "each different answer counts once, however often it was drawn: the mean of the heads, not of "
        "the draws. For a few heads; noise that differs each time has no answer twice, and nothing "
        "changes",
    )

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """See `Attack.check`."""
        check_repeats(config, pool_images, in_distribution_images, self.repeats, self.charged)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.transfer import train_clone

        images = choose_repeated(inputs, self.repeats, self.charged)
        inputs.note("images", len(images))
        answers = ask_repeatedly(inputs, images, self.repeats)
        train_clone(inputs, images, mean_of_distinct(answers) if self.distinct else answers.mean(axis=0))
