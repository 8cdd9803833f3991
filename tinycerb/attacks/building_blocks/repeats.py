"""What attacks share that ask about one image several times: how many images the budget then pays for.

Every call is charged, repeats included. At Q calls in all an attacker asks about Q / n images, n times each; with
`charged = false` it asks as many images as a one-shot attack would and pays n times as much, which shows what
averaging is worth when nobody counts.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from tinycerb.attacks.base import FLOOR, AttackInputs, check_distinct, choose_images
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.options import option


def charged_option() -> Any:
    """Declares what the budget counts."""
    return option(True, "the budget counts calls, and pays for budget / n images; else it counts images")


def images_to_ask(config: AttackConfig, distinct: int, repeats: int, charged: bool) -> int:
    """Returns how many images are asked `repeats` times each."""
    budget = config.budget or distinct
    return budget // repeats if charged else budget


def check_repeats(
    config: AttackConfig, pool_images: int, in_distribution_images: int, repeats: int, charged: bool
) -> None:
    """Checks that the budget pays for at least one image and that there are enough of them.

    Raises:
        UsageError: it does not, or there are not.
    """
    count = images_to_ask(config, pool_images + in_distribution_images, repeats, charged)
    check_distinct(replace(config, budget=min(count, config.budget)), pool_images, in_distribution_images)
    if count < 1:
        raise UsageError(
            f"attacks.{config.name}.budget is {config.budget}, less than one image asked {repeats} times; allowed: "
            f"{repeats} or more"
        )


def choose_repeated(inputs: AttackInputs, repeats: int, charged: bool) -> np.ndarray:
    """Returns the images to ask about, uint8 [images, height, width, channels]."""
    count = images_to_ask(inputs.config, len(inputs.pool) + len(inputs.in_distribution), repeats, charged)
    return choose_images(replace(inputs, config=replace(inputs.config, budget=count)))


def ask_repeatedly(inputs: AttackInputs, images: np.ndarray, repeats: int) -> np.ndarray:
    """Asks about all images, `repeats` times over; returns float32 [repeats, N, classes]."""
    return np.stack([inputs.oracle.query(images) for _ in range(repeats)])


def mean_of_distinct(answers: np.ndarray) -> np.ndarray:
    """Averages the different answers to each image, each counted once.

    Heads are drawn evenly, so what counts is which answers there are and not how often each was drawn: with three
    heads, eight draws show all of them for 88 % of the images, and their mean is then exact.

    Args:
        answers: float [repeats, N, classes].

    Returns:
        [N, classes].
    """
    new = np.ones(answers.shape[:2], bool)
    for later in range(1, len(answers)):
        new[later] = (answers[later] != answers[:later]).any(axis=2).all(axis=0)
    return (answers * new[:, :, np.newaxis]).sum(axis=0) / new.sum(axis=0)[:, np.newaxis]


def normalised(answers: np.ndarray) -> np.ndarray:
    """Returns rows brought to a sum of 1, nothing below `FLOOR` before, float32."""
    floored = np.maximum(answers, FLOOR)
    return (floored / floored.sum(axis=-1, keepdims=True)).astype(np.float32)
