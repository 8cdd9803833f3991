"""What a way of pruning is to the training loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf


class Pruner(Protocol):
    """Takes weights away during training and keeps them away."""

    def observe(self, variables: Sequence[tf.Variable], gradients: Sequence[tf.Tensor]) -> None:
        """Sees the gradients of a step before they are applied; runs inside the step's graph."""
        ...

    def hold(self) -> None:
        """Puts what is gone back to zero; runs inside the step's graph, after the optimizer."""
        ...

    def update(self, step: int) -> None:
        """Takes more away if the schedule asks for it after this step, counted from 1 over the whole training."""
        ...

    def kept_share(self) -> float:
        """Returns the share that is still there, 0..1."""
        ...

    def state(self) -> list[np.ndarray]:
        """Returns all that a resumed training needs."""
        ...

    def restore(self, state: Sequence[np.ndarray]) -> None:
        """Takes up what `state` has returned."""
        ...


@dataclass(frozen=True)
class NothingPruned:
    """A stage that takes nothing away.

    Attributes:
        share: what earlier stages have kept.
        remembered: the state of what pruned in an earlier stage, for a training that is resumed in this one.
    """

    share: float = 1.0
    remembered: Sequence[np.ndarray] = ()

    def observe(self, variables: Sequence[tf.Variable], gradients: Sequence[tf.Tensor]) -> None:
        """There is nothing to see."""

    def hold(self) -> None:
        """There is nothing to hold."""

    def update(self, step: int) -> None:
        """There is nothing to take away."""

    def kept_share(self) -> float:
        """Returns what it was told."""
        return self.share

    def state(self) -> list[np.ndarray]:
        """Returns what it was given."""
        return list(self.remembered)

    def restore(self, state: Sequence[np.ndarray]) -> None:
        """There is nothing to take up."""
