"""Misdirection: right on the task, consistently wrong off it, so that foreign questions teach a thief something wrong.

Adaptive misinformation (Kariyappa and Qureshi, CVPR 2020) has a second network for the wrong answers and a threshold
that tells when; here the one network itself learns both, on images that programs draw. Measured in
docs/fortress.md, searched for in docs/experiments/fortress.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinycerb.defenses.base import SHARED, LossTerms, TrainingContext
from tinycerb.defenses.head_choice import fitting_selection, selection_option
from tinycerb.defenses.losses.loss_mix import weighted_terms
from tinycerb.defenses.losses.ramp import ramp
from tinycerb.defenses.registry import DEFENSES
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option

# A teacher's name, and the loss that imitates it.
_TEACHERS = {"random": "random_teacher", "independent": "independent_teacher"}


@DEFENSES.register("misdirection")
@dataclass(frozen=True)
class Misdirection:
    """One head that answers off the task as a random teacher does, and not as an undefended network would.

    On out-of-distribution images x, with a fixed random network t, an undefended network u and the head's posterior p:

        teacher_weight * CE(t(x), p(x))  +  away_weight * cos(p(x), u(x))

    A consistent wrong answer is nothing that repeated questions average away, needs no secret on the device and costs
    it nothing. With several heads each has a teacher of its own, and their mean leaves u.
    """

    teacher_weight: float = option(0.2, "weight of imitating the random teacher", 0, zero="left out")
    away_weight: float = option(0.2, "weight of leaving the undefended posterior", 0, zero="left out")
    teacher: str = option(
        "random",
        "random, or independent: of features that do not correlate with the undefended posterior",
        choices=tuple(_TEACHERS),
    )
    heads: int = option(1, "number of heads", 1)
    warm_up_epochs: float = option(0.5, "epochs without both terms", 0)
    ramp_epochs: float = option(1.0, "epochs over which they then grow linearly", 0)
    selection: str = selection_option()

    architecture = SHARED
    uses_out_of_distribution = True
    projects_conflicts = False

    after_training = ("selection",)
    preference = 1

    def __post_init__(self) -> None:
        check_options(self)
        if self.teacher_weight == self.away_weight == 0:
            raise UsageError("misdirection.teacher_weight and away_weight are both 0: allowed: one of them above 0")
        object.__setattr__(self, "selection", fitting_selection(self.selection, self.heads, "misdirection"))

    @property
    def teachers(self) -> str:
        """Those that are imitated."""
        return self.teacher if self.teacher_weight else ""

    def weight(self, epoch: float) -> float:
        """Returns 0 during the warm-up, then a linear ramp up to 1."""
        return ramp(epoch, self.warm_up_epochs, self.ramp_epochs)

    def prepare(self, context: TrainingContext) -> LossTerms:
        """Returns the weighted terms, each a scalar; those of weight 0 are left out."""
        mix = {_TEACHERS[self.teacher]: self.teacher_weight, "mean_head": self.away_weight}
        return weighted_terms({name: weight for name, weight in mix.items() if weight}, context, self.heads)
