"""No training part: one head, trained on the task alone. The row that all others are compared with."""

from __future__ import annotations

from dataclasses import dataclass

from tinycerb.defenses.base import SHARED, LossTerms, TrainingContext, no_terms
from tinycerb.defenses.registry import DEFENSES


@DEFENSES.register("none")
@dataclass(frozen=True)
class Undefended:
    """One head and nothing else; a response may still stand on its answers."""

    heads = 1
    selection = "fixed"
    architecture = SHARED
    uses_out_of_distribution = False
    teachers = ""
    projects_conflicts = False

    after_training = ()
    preference = 0

    def weight(self, epoch: float) -> float:
        """There is nothing to weigh."""
        return 0.0

    def prepare(self, context: TrainingContext) -> LossTerms:
        """There is nothing to add."""
        return no_terms
