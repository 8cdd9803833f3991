"""CERBEROS-R: several heads on one backbone that agree on the task and disagree off it.

A reconstruction of CERBEROS (Keum, J. Lee and S. Lee, IEEE Access 2025, doi 10.1109/access.2025.3617935) from
its abstract: the paper's own loss, weights and number of heads were not available.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinycerb.defenses.registry import DEFENSES
from tinycerb.errors import UsageError

if TYPE_CHECKING:
    import tensorflow as tf


@DEFENSES.register("cerberos")
@dataclass(frozen=True)
class Cerberos:
    """Jointly diversified heads, one of which is drawn for each answer.

    Attributes:
        heads: number of heads, 2 or more.
        diversity_weight: weight of the diversity loss once it is fully on.
        warm_up_epochs: epochs without it; with it from the start, training settles for a trivial split.
        ramp_epochs: epochs over which it then grows linearly.
        selection: how the device chooses a head.
    """

    heads: int = 3
    diversity_weight: float = 1.0
    warm_up_epochs: float = 0.5
    ramp_epochs: float = 1.0
    selection: str = "random"

    uses_out_of_distribution = True

    def __post_init__(self) -> None:
        if self.heads < 2:
            raise UsageError(f"cerberos.heads is {self.heads}; allowed: 2 or more (1 head is defense = 'none')")
        for key in ("diversity_weight", "warm_up_epochs", "ramp_epochs"):
            if getattr(self, key) < 0:
                raise UsageError(f"cerberos.{key} is {getattr(self, key)}; allowed: 0 or more")

    def weight(self, epoch: float) -> float:
        """Returns 0 during the warm-up, then a linear ramp up to `diversity_weight`."""
        ramped = (epoch - self.warm_up_epochs) / max(self.ramp_epochs, 1e-9)
        return self.diversity_weight * min(max(ramped, 0.0), 1.0)

    def training_loss(self, head_logits: list[tf.Tensor]) -> tf.Tensor:
        """Returns the smooth maximum of the heads' pairwise similarity, 0..1."""
        from tinycerb.training.diversity import cosine_log_sum_exp

        return cosine_log_sum_exp(head_logits)
