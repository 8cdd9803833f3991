"""EDM, ensemble of diverse models: whole networks that agree on the task and disagree off it.

Kariyappa, Prakash and Qureshi, ICLR 2021. Which of them answers, a hash of the image decides.
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

# How the member is chosen; the last two are head selections of the device.
_HASHES = ("network", "keyed", "coarse_keyed")


@DEFENSES.register("edm")
@dataclass(frozen=True)
class DiverseModels:
    """N networks trained jointly: cross-entropy on the task, the smooth coherence of their posteriors off it (eqn. 3).

    All of them stand in one file, and all of them run for every question: N times the flash and the instructions of
    one. Running the chosen one alone would save instructions; but as soon as pruning makes them differ, the time would
    tell which one it was.
    """

    heads: int = option(3, "networks of the ensemble; 5 as published", 2, 255)
    hash: str = option(
        "network",
        "how the member is chosen: network, by the class and confidence of a small network that imitates a random one "
        "on the out-of-distribution images, in place of D-EDM's network for another data set; keyed and coarse_keyed, "
        "by the device, under its secret, without that network",
        choices=_HASHES,
    )
    diversity_weight: float = option(1.0, "weight of the coherence once it is fully on; lambda_D, not published", 0)
    hash_weight: float = option(
        1.0, "weight of the hash network's cross-entropy; it shares nothing with the members", above=0
    )
    warm_up_epochs: float = option(0.5, "epochs without both terms", 0)
    ramp_epochs: float = option(1.0, "epochs over which they then grow linearly", 0)

    uses_out_of_distribution = True
    projects_conflicts = False

    after_training = ()
    preference = 0

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def selection(self) -> str:
        """The device's draw; `fixed` where the file's own hash network chooses."""
        return "fixed" if self.hash == "network" else self.hash

    @property
    def architecture(self) -> Architecture:
        """The members, and the hash network behind them."""
        members = ("own",) * self.heads
        if self.hash != "network":
            return Architecture(backbones=members)
        return Architecture(backbones=(*members, "hash"), combiner=f"edm,members={self.heads}")

    @property
    def teachers(self) -> str:
        """The hash network imitates a random one, and a thief who knows it knows which member answers."""
        return "random" if self.hash == "network" else ""

    def weight(self, epoch: float) -> float:
        """Returns 0 during the warm-up, then a linear ramp up to 1."""
        return ramp(epoch, self.warm_up_epochs, self.ramp_epochs)

    def prepare(self, context: TrainingContext) -> LossTerms:
        """Returns the members' coherence and, where there is one, the hash network's cross-entropy."""
        import tensorflow as tf

        from tinycerb.defenses.losses.diversity import cosine_log_sum_exp
        from tinycerb.defenses.losses.random_teachers import random_teachers

        hashes = None
        if self.hash == "network":
            (labels,) = random_teachers(
                context.other_images, 1, context.dataset.classes, context.seed, None, context.key_words
            )
            hashes = tf.constant(labels)

        def terms(batch: Batch) -> Sequence[tf.Tensor]:
            found = [self.diversity_weight * cosine_log_sum_exp(batch.other_logits[: self.heads])]
            if hashes is not None:
                wanted = tf.gather(hashes, batch.other_indices)
                entropy = tf.nn.softmax_cross_entropy_with_logits(wanted, batch.other_logits[-1])
                found.append(self.hash_weight * tf.reduce_mean(entropy))
            return found

        return terms
