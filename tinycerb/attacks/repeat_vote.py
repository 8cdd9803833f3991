"""Repeats every question and lets the answers vote.

Breaks: heads, or noise, that change the label now and then. A few wild answers move a mean, but neither a majority
nor a median. The one that answers with labels alone (`output = "top1"`) still says how the votes are split.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import FLOOR, AttackInputs
from tinycerb.attacks.building_blocks.repeats import (
    ask_repeatedly,
    charged_option,
    check_repeats,
    choose_repeated,
    normalised,
)
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.options import check_options, option


def majority(answers: np.ndarray) -> np.ndarray:
    """Returns one-hot rows of the most frequent label (ties: the larger mean), for answers [repeats, N, classes]."""
    classes = answers.shape[2]
    votes = np.eye(classes)[answers.argmax(axis=2)].sum(axis=0)
    return np.eye(classes, dtype=np.float32)[(votes + 0.5 * answers.mean(axis=0)).argmax(axis=1)]


def median(answers: np.ndarray) -> np.ndarray:
    """Returns the median of every class, brought to a sum of 1."""
    return normalised(np.median(answers, axis=0))


def geometric(answers: np.ndarray) -> np.ndarray:
    """Returns the geometric mean, brought to a sum of 1: a class counts if all answers find it plausible."""
    return normalised(np.exp(np.log(np.maximum(answers, FLOOR)).mean(axis=0)))


RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "majority": majority,
    "median": median,
    "geometric": geometric,
}


@ATTACKS.register("repeat_vote")
@dataclass(frozen=True)
class RepeatVote:
    """Asks n times and trains on what the answers agree on."""

    repeats: int = option(7, "n, how often each image is asked", 1, 1000)
    rule: str = option("majority", "majority of the labels, median, or geometric mean", choices=tuple(RULES))
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
        inputs.note("images", len(images))
        train_clone(inputs, images, RULES[self.rule](ask_repeatedly(inputs, images, self.repeats)))
