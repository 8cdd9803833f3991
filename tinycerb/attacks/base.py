"""What an attack is given, and what it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.events import OnProgress
from tinycerb.oracle import Oracle

if TYPE_CHECKING:
    from tinycerb.keras_models.legacy import keras


# Half a code of 1/256: what stands for an answer of 0 where logarithms are taken.
FLOOR = 1 / 512


@dataclass(frozen=True)
class AttackInputs:
    """All that an attacker has: no model, no gradients, no true labels, no test set.

    Attributes:
        oracle: answers questions.
        pool: the attacker's images of other kinds, uint8 [N, height, width, channels]; N may be 0.
        in_distribution: the attacker's unlabelled images of the victim's kind, uint8 [M, height, width, channels];
            mostly M = 0.
        classes: how many classes the victim tells apart.
        build: makes an untrained network of the student's kind, float images in 0..1 to logits.
        config: budget and settings.
        learning_rate: of the clone; one of `config.learning_rates`.
        response: what the vendor's documents say about the defence's response, `none` or `NAME,option=value`. An
            attack that reads it is a worst case: the attacker knows the recipe.
        seed: the attacker's seed.
        on_epoch: to be called now and then with the finished epochs and the clone's predictor.
        note: keeps a fact that the attack has found out, `note(key, value)`, in the cell's result.
        on_progress: takes progress events.
        teachers: those that the victim's heads imitate off the task: images, uint8 [N, ...], to posteriors, float32 [N,
            classes]. For an attack that `knows_key` alone, the worst case of a stolen owner key; none for all others.
    """

    oracle: Oracle
    pool: np.ndarray
    in_distribution: np.ndarray
    classes: int
    build: Callable[[], keras.Model]
    config: AttackConfig
    learning_rate: float
    response: str
    seed: int
    on_epoch: OnEpoch
    note: Callable[[str, float | int | str], None]
    on_progress: OnProgress
    teachers: Sequence[Callable[[np.ndarray], np.ndarray]] = ()

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Height, width and channels."""
        return self.pool.shape[1:]

    def build_members(self) -> list[keras.Model]:
        """Returns the untrained networks of one clone, which answers with the mean of their posteriors."""
        return [self.build() for _ in range(self.config.members)]


class Attack(Protocol):
    """Steals a model. Implementations are frozen dataclasses whose fields are the attack's options."""

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """Raises a UsageError if budget, pool and images of the victim's kind do not fit the attack."""
        ...

    def run(self, inputs: AttackInputs) -> None:
        """Asks the oracle and trains a clone; `inputs.on_epoch` gets its predictor."""
        ...


def knows_key(attack: Attack) -> bool:
    """Whether an attack is a worst case that has the owner key: it then has an option of that name, which is set."""
    return bool(getattr(attack, "knows_key", False))


def check_distinct(config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
    """For attacks that ask every image once: the budget must not exceed what there is.

    Raises:
        UsageError: it does, or there is nothing to ask.
    """
    distinct = pool_images + in_distribution_images
    where = f"attacks.{config.name}"
    if distinct == 0:
        raise UsageError(
            f"{where}: the pool {config.query_pool} is empty and in_distribution_images is 0: there is nothing to ask; "
            "name another query_pool"
        )
    if config.budget > distinct:
        raise UsageError(
            f"{where}.budget is {config.budget}, but the pool {config.query_pool} has {distinct} "
            f"distinct images; allowed: 0 (all) to {distinct}"
        )


def choose_images(inputs: AttackInputs) -> np.ndarray:
    """Returns the images that a one-shot attack asks about: all own ones first, then random ones of the pool.

    Returns:
        uint8 [budget, height, width, channels], shuffled; the budget is everything where it is 0.
    """
    rng = np.random.default_rng(inputs.seed)
    own = inputs.in_distribution[rng.permutation(len(inputs.in_distribution))]
    other = inputs.pool[rng.permutation(len(inputs.pool))]
    chosen = np.concatenate([own, other])[: inputs.config.budget or len(own) + len(other)]
    return chosen[rng.permutation(len(chosen))]


# Called after some epochs, the last one always, with the number of finished epochs and a function from uint8
# images to posteriors, float32 [N, classes]; an attack never learns what it is for.
OnEpoch = Callable[[int, Callable[[np.ndarray], np.ndarray]], None]
