"""AM, adaptive misinformation: two networks, one of which is trained to be wrong.

Kariyappa and Qureshi, CVPR 2020, arXiv 1911.07100. Which of them answers is the response `am`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinycerb.defenses.base import Architecture, Batch, LossTerms, TrainingContext
from tinycerb.defenses.losses.ramp import ramp
from tinycerb.defenses.registry import DEFENSES
from tinycerb.options import check_options, option

if TYPE_CHECKING:
    import tensorflow as tf


@DEFENSES.register("am")
@dataclass(frozen=True)
class Misinformation:
    """A network f with outlier exposure and a network f_m that is trained on -log(1 - f_m(x)[t]).

    t is the true label on the task and the label that f gives off the task. Both networks have backbones of their own
    and stand in one file: twice the flash and twice the instructions, for both run whoever answers. Running f_m only
    where it is wanted would tell by the time that it takes which questions are taken for a thief's.
    """

    tau: float = option(0.7, "f_m answers where the largest posterior of f is below it (see the response `am`)", 0, 1)
    exposure_weight: float = option(
        1.0, "weight of the cross-entropy of f to even answers off the task; lambda, 1 as published", 0
    )
    misinformation_weight: float = option(
        1.0, "weight of the loss of f_m, on the task and off it; nothing else trains f_m", above=0
    )
    warm_up_epochs: float = option(0.5, "epochs without both terms", 0)
    ramp_epochs: float = option(1.0, "epochs over which they then grow linearly", 0)

    heads = 1
    selection = "fixed"
    uses_out_of_distribution = True
    teachers = ""
    projects_conflicts = False

    after_training = ("tau",)
    preference = 0

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def architecture(self) -> Architecture:
        """Two networks of the run's kind; the response chooses between them."""
        return Architecture(backbones=("own", "own"), combiner=f"am,tau={self.tau:g}")

    def weight(self, epoch: float) -> float:
        """Returns 0 during the warm-up, then a linear ramp up to 1."""
        return ramp(epoch, self.warm_up_epochs, self.ramp_epochs)

    def prepare(self, context: TrainingContext) -> LossTerms:
        """Returns both networks' terms."""
        import tensorflow as tf

        def wrong(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
            """-log(1 - p[t]) = logsumexp of all logits - logsumexp of all but t's, [N]."""
            others = tf.where(tf.one_hot(labels, logits.shape[-1], on_value=True, off_value=False), -1e9, logits)
            return tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_logsumexp(others, axis=-1)

        def terms(batch: Batch) -> Sequence[tf.Tensor]:
            honest, misled = batch.other_logits
            told = tf.argmax(honest, axis=-1, output_type=tf.int32)
            misinformation = tf.concat([wrong(batch.logits[1], batch.labels), wrong(misled, told)], axis=0)
            return [
                -self.exposure_weight * tf.reduce_mean(tf.nn.log_softmax(honest)),
                self.misinformation_weight * tf.reduce_mean(misinformation),
            ]

        return terms
