"""InI, isolation and induction: training that leads a thief's gradients astray; nothing changes on the device.

Guo et al., ACM Multimedia 2023, arXiv 2308.00958. For a surrogate C of the thief's student, frozen, and the victim V,
on the task (x, y) and on images u off it:

    isolation   cos(grad_C L(C(x), V(x)), grad_C CE(C(x), y))
    induction   mean |C(u) - logits of V(u)|
    gradient    mean |d/dw L(C(u), V(u))|

What V teaches opposes what is true; off the task V says what the student would say anyway, and moves it nowhere.
"""

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


@DEFENSES.register("ini")
@dataclass(frozen=True)
class IsolationInduction:
    """Training against a surrogate of the thief.

    The official code differs from the paper in three ways, each an option here: its surrogate is random
    (`surrogate = "random"`), its loss is KL(C || V) instead of what a student minimises (`reverse = true`), and it
    always averages projected gradients (`projects_conflicts = true` adds them).
    """

    isolation_weight: float = option(1.0, "weight of the isolation term; delta, 1 in the official code", 0)
    induction_weight: float = option(0.3, "weight of the induction term; gamma", 0)
    gradient_weight: float = option(1000.0, "weight of the gradient term, whose values are tiny; epsilon", 0)
    benign_weight: float = option(0.0, "weight of pushing V away from C on the task; beta", 0)
    surrogate: str = option(
        "pretrained",
        "the surrogate's weights: of three epochs on the task, or random",
        choices=("pretrained", "random"),
    )
    gradients: str = option(
        "last_layer",
        "the surrogate's: of its last layer, in closed form and cheap, or exact over all of its weights",
        choices=("last_layer", "exact"),
    )
    distance: str = option(
        "l1",
        "what the induction term measures: l1 of centred logits, kl, or entropy (V answers evenly)",
        choices=("l1", "kl", "entropy"),
    )
    reverse: bool = option(False, "the student is taken to minimise KL(C || V)")
    projects_conflicts: bool = option(False, "opposed gradients of the terms are projected (PCGrad)")
    warm_up_epochs: float = option(0.5, "epochs without the terms", 0)
    ramp_epochs: float = option(1.0, "epochs over which they then grow linearly", 0)

    heads = 1
    selection = "fixed"
    architecture = SHARED
    uses_out_of_distribution = True
    teachers = ""

    after_training = ()
    preference = 0

    def __post_init__(self) -> None:
        check_options(self)

    def weight(self, epoch: float) -> float:
        """Returns 0 during the warm-up, then a linear ramp up to 1."""
        return ramp(epoch, self.warm_up_epochs, self.ramp_epochs)

    def prepare(self, context: TrainingContext) -> LossTerms:
        """Returns the weighted terms; those of weight 0 are left out."""
        import tensorflow as tf

        from tinycerb.defenses.losses.student_gradients import STUDENT_GRADIENTS, answer_distance, cosine

        surrogate = context.reference.model() if self.surrogate == "pretrained" else context.build(1)
        taught_by = STUDENT_GRADIENTS[self.gradients](surrogate, self.reverse)
        # What is true reaches any student as a label's cross-entropy.
        told = STUDENT_GRADIENTS[self.gradients](surrogate, False)

        def terms(batch: Batch) -> Sequence[tf.Tensor]:
            (logits,), (other_logits,) = batch.logits, batch.other_logits
            found = []
            if self.isolation_weight:
                truth = tf.stop_gradient(told(batch.images, tf.one_hot(batch.labels, logits.shape[-1])))
                found.append(self.isolation_weight * cosine(taught_by(batch.images, tf.nn.softmax(logits)), truth))
            if self.induction_weight:
                away = answer_distance(self.distance, surrogate(batch.other_images, training=False), other_logits)
                found.append(self.induction_weight * away)
            if self.gradient_weight:
                moved = taught_by(batch.other_images, tf.nn.softmax(other_logits))
                found.append(self.gradient_weight * tf.reduce_mean(tf.abs(moved)))
            if self.benign_weight:
                away = answer_distance(self.distance, surrogate(batch.images, training=False), logits)
                found.append(-self.benign_weight * away)
            return found

        return terms
