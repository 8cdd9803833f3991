"""What an attack is given, and what it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tinycerb.config import AttackConfig
from tinycerb.events import Report
from tinycerb.oracle import Oracle
from tinycerb.registry import Registry

if TYPE_CHECKING:
    from keras_models.legacy import keras
    from tinycerb.attacks.distill import OnEpoch


@dataclass(frozen=True)
class AttackInputs:
    """All that an attacker has: no model, no gradients, no true labels, no test set.

    Attributes:
        oracle: answers questions.
        pool: the attacker's own images, uint8 [N, height, width, channels].
        members: the untrained networks of the clone, which answers with the mean of their posteriors.
        config: budget and settings.
        seed: the attacker's seed.
        on_epoch: to be called now and then with the finished epochs and the clone's predictor.
        report: takes progress events.
    """

    oracle: Oracle
    pool: np.ndarray
    members: Sequence[keras.Model]
    config: AttackConfig
    seed: int
    on_epoch: OnEpoch
    report: Report


class Attack(Protocol):
    """Steals a model: asks the oracle and trains `inputs.members` in place."""

    def __call__(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        ...


ATTACKS: Registry[Attack] = Registry("attack")
