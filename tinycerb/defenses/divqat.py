"""DivQAT: quantization-aware training that drives the int8 posteriors away from those of the float network.

Khaled et al., arXiv 2512.23948 (2025), from its abstract: the weights of its formulas were not available.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinycerb.defenses.base import SHARED, Batch, LossTerms, TrainingContext, no_terms
from tinycerb.defenses.registry import DEFENSES
from tinycerb.options import check_options, option

if TYPE_CHECKING:
    import tensorflow as tf


@DEFENSES.register("divqat")
@dataclass(frozen=True)
class DivergentQuantization:
    """Cross-entropy minus a clipped divergence, in quantization-aware training alone."""

    divergence_weight: float = option(0.5, "weight of KL(float || quantized) on the training images", 0)
    ceiling: float = option(1.0, "divergence of an image beyond which nothing more is gained", 0)

    heads = 1
    selection = "fixed"
    architecture = SHARED
    uses_out_of_distribution = False
    teachers = ""
    projects_conflicts = False

    after_training = ()
    preference = 0

    def __post_init__(self) -> None:
        check_options(self)

    def weight(self, epoch: float) -> float:
        """Returns the same weight throughout."""
        return self.divergence_weight

    def prepare(self, context: TrainingContext) -> LossTerms:
        """Returns the term for the stage `quantize`, and none for the others."""
        if context.slim is None:
            return no_terms
        import tensorflow as tf

        floating = context.slim

        def terms(batch: Batch) -> Sequence[tf.Tensor]:
            wanted = tf.stop_gradient(tf.nn.log_softmax(floating(batch.images, training=False)))
            found = tf.nn.log_softmax(batch.logits[0])
            divergence = tf.reduce_sum(tf.exp(wanted) * (wanted - found), axis=-1)
            return [-tf.reduce_mean(tf.minimum(divergence, self.ceiling))]

        return terms
