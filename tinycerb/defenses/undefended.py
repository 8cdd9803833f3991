"""No defence: one head, trained on the task alone. The row that all others are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinycerb.defenses.registry import DEFENSES

if TYPE_CHECKING:
    import tensorflow as tf


@DEFENSES.register("none")
@dataclass(frozen=True)
class Undefended:
    """One head and nothing else."""

    heads = 1
    selection = "fixed"
    uses_out_of_distribution = False

    def weight(self, epoch: float) -> float:
        """There is nothing to weigh."""
        return 0.0

    def training_loss(self, head_logits: list[tf.Tensor]) -> float:
        """There is nothing to add."""
        return 0.0
