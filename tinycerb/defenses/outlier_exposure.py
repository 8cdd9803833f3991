"""Outlier exposure: off the task the network answers evenly (Hendrycks et al., ICLR 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinycerb.defenses.base import SHARED, Batch, LossTerms, TrainingContext
from tinycerb.defenses.losses.ramp import ramp
from tinycerb.defenses.registry import DEFENSES
from tinycerb.options import check_options, option

if TYPE_CHECKING:
    import tensorflow as tf


@DEFENSES.register("outlier_exposure")
@dataclass(frozen=True)
class OutlierExposure:
    """Cross-entropy to even answers on out-of-distribution images: a baseline, and half of adaptive misinformation."""

    exposure_weight: float = option(1.0, "weight of the term once it is fully on; 1 in adaptive misinformation", 0)
    warm_up_epochs: float = option(0.5, "epochs without it", 0)
    ramp_epochs: float = option(1.0, "epochs over which it then grows linearly", 0)

    heads = 1
    selection = "fixed"
    architecture = SHARED
    uses_out_of_distribution = True
    teachers = ""
    projects_conflicts = False

    after_training = ()
    preference = 0

    def __post_init__(self) -> None:
        check_options(self)

    def weight(self, epoch: float) -> float:
        """Returns 0 during the warm-up, then a linear ramp up to `exposure_weight`."""
        return self.exposure_weight * ramp(epoch, self.warm_up_epochs, self.ramp_epochs)

    def prepare(self, context: TrainingContext) -> LossTerms:
        """Returns the cross-entropy of the even posterior and the answer."""
        import tensorflow as tf

        def terms(batch: Batch) -> Sequence[tf.Tensor]:
            return [-tf.reduce_mean(tf.nn.log_softmax(batch.other_logits[0]))]

        return terms
