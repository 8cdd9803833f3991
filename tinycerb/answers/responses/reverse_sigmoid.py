"""RS: reverse sigmoid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinycerb.answers.normalise import TOTAL
from tinycerb.answers.responses.building_blocks.moves import keep_top
from tinycerb.answers.responses.building_blocks.reverse_sigmoid_curve import perturb, weight_table
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep
from tinycerb.converters.c_model.layer import Array
from tinycerb.options import check_options, option


@RESPONSES.register("rs")
@dataclass(frozen=True)
class ReverseSigmoid(Response):
    """Reverse-sigmoid noise on every answer (Lee et al., 2018, arXiv 1806.00054).

    y' = Norm(y - beta * (sigmoid(gamma * logit(y)) - 1/2)), element by element.

    This is the paper's formula. The code published with DCP and GRAD^2 clamps the odds before the logarithm, so that
    no posterior above 1/2 is ever reduced; ART's `ReverseSigmoid` is the paper's formula with 1e-9 in place of 1/512.
    """

    name = "rs"
    final = False
    strength = "beta"

    beta: float = option(0.3, "strength of the noise", 0, 2)
    gamma: float = option(0.2, "steepness of the noise", 0.001, 10)
    preserve_top1: bool = option(False, "keep the label where the noise would change it")

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    @cached_property
    def table(self) -> np.ndarray:
        """Weight of every code, uint16 [256]."""
        return weight_table(self.beta, self.gamma)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns perturbed codes."""
        answers = perturb(codes, self.table)
        return keep_top(answers, codes.argmax(axis=1)) if self.preserve_top1 else answers

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step with its table of 512 bytes."""
        parameters = {"weights": Array(self.table), "threshold": TOTAL, "units": TOTAL, "keep": int(self.preserve_top1)}
        return (ResponseStep("tc_respond_reverse_sigmoid", parameters),)
