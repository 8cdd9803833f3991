"""grad_head: gradient redirection with one random dense layer in place of a surrogate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.responses.building_blocks.moves import budget_units
from tinycerb.answers.responses.building_blocks.redirection import redirect
from tinycerb.answers.responses.combining import Combiner, alone
from tinycerb.answers.responses.response import RESPONSES, ResponseStep
from tinycerb.options import check_options, option


@RESPONSES.register("grad_head")
@dataclass(frozen=True)
class RedirectionHead(Combiner):
    """Moves y towards the class with the largest random score, at the others' expense in ascending order of score.

    What is left of GRAD^2 (Mazeika et al., ICML 2022) on a device: for the gradients of the last layer alone and a
    random direction Z the exact answer orders the classes by v = Z [h; 1] (see `redirection`), and the victim's own
    features h stand for the surrogate's. The scores are the int8 logits of a head behind the last one, whose weights
    are drawn and never trained; any defence with one head takes it along.
    """

    name = "grad_head"
    final = False
    random_heads = 1
    strength = "epsilon"
    heads = 2
    trained_by = "none+grad_head, or any training part with one head in place of none"

    epsilon: float = option(1.0, "L1 budget", 0, 2)
    preserve_top1: bool = option(False, "keep the label where moving would change it")

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Refuses: there are no scores."""
        raise alone(self)

    def combine(self, logits: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Returns the first head's posterior, redirected by the second one's logits."""
        return redirect(codes[:, 0], logits[:, 1], self.epsilon, self.preserve_top1)

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step; it has no tables."""
        parameters = {"units": budget_units(self.epsilon), "keep": int(self.preserve_top1)}
        return (ResponseStep("tc_combine_grad_head", parameters, heads=self.heads),)
