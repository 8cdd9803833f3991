"""CERBEROS-R: several heads on one backbone that agree on the task and disagree off it.

A reconstruction of CERBEROS (Keum, J. Lee and S. Lee, IEEE Access 2025, doi 10.1109/access.2025.3617935) from
its abstract: the paper's own loss, weights and number of heads were not available.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinycerb.defenses.base import SHARED, LossTerms, TrainingContext
from tinycerb.defenses.head_choice import fitting_selection, selection_option
from tinycerb.defenses.losses.loss_mix import parse_mix, weighted_terms
from tinycerb.defenses.losses.ramp import ramp
from tinycerb.defenses.registry import DEFENSES
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option

# Losses that make a single head answer wrongly off the task; the others need a pair.
_FOR_ONE_HEAD = ("random_teacher", "independent_teacher", "mean_head")
LOSSES = ("cosine_lse", "cosine_mean", "neg_js", *_FOR_ONE_HEAD)
_TEACHERS = {"random_teacher": "random", "independent_teacher": "independent"}


@DEFENSES.register("cerberos")
@dataclass(frozen=True)
class Cerberos:
    """Jointly diversified heads, one of which is drawn for each answer."""

    heads: int = option(3, "number of heads: 2 or more, or 1 where all losses work on one head", 1)
    losses: str = option(
        "cosine_lse",
        "what makes heads differ off the task: cosine_lse lowers the smooth maximum of the heads' pairwise cosine, "
        "cosine_mean its mean; neg_js raises their Jensen-Shannon divergence; with random_teacher each head imitates a "
        "random network of its own, with independent_teacher one of features that do not correlate with the undefended "
        "posterior; with mean_head the heads' mean leaves the undefended posterior",
        choices=LOSSES,
        joined=True,
        weighted=True,
    )
    diversity_weight: float = option(1.0, "weight of all of them once they are fully on", 0)
    warm_up_epochs: float = option(
        0.5, "epochs without them; with them from the start, training settles for a trivial split", 0
    )
    ramp_epochs: float = option(1.0, "epochs over which they then grow linearly", 0)
    selection: str = selection_option()

    architecture = SHARED
    uses_out_of_distribution = True
    projects_conflicts = False

    after_training = ("selection",)
    preference = 0

    def __post_init__(self) -> None:
        check_options(self)
        mix = parse_mix(self.losses, LOSSES, "cerberos.losses")
        if self.heads == 1 and not set(mix) <= set(_FOR_ONE_HEAD):
            raise UsageError(
                f"cerberos.heads is {self.heads}; allowed: 2 or more (1 head is defense = 'none', or losses of "
                f"{' and '.join(_FOR_ONE_HEAD)} alone)"
            )
        object.__setattr__(self, "selection", fitting_selection(self.selection, self.heads, "cerberos"))

    @property
    def teachers(self) -> str:
        """Those of its losses, the first if it has both kinds."""
        return next(
            (_TEACHERS[name] for name in parse_mix(self.losses, LOSSES, "cerberos.losses") if name in _TEACHERS), ""
        )

    def weight(self, epoch: float) -> float:
        """Returns 0 during the warm-up, then a linear ramp up to `diversity_weight`."""
        return self.diversity_weight * ramp(epoch, self.warm_up_epochs, self.ramp_epochs)

    def prepare(self, context: TrainingContext) -> LossTerms:
        """Returns the weighted losses, each a scalar."""
        return weighted_terms(parse_mix(self.losses, LOSSES, "cerberos.losses"), context, self.heads)
