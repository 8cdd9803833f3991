"""DCP: deception by noise that a confidence gate lets through."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinycerb.answers.normalise import TOTAL
from tinycerb.answers.responses.building_blocks.moves import budget_units, keep_top, step_towards
from tinycerb.answers.responses.building_blocks.reverse_sigmoid_curve import perturb, weight_table
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep
from tinycerb.converters.c_model.layer import Array
from tinycerb.options import check_options, option


@RESPONSES.register("dcp")
@dataclass(frozen=True)
class Deception(Response):
    """Reverse-sigmoid noise where the model is unsure (Khaled et al., ICMLA 2023, arXiv 2309.01838).

    y' = Norm(y - beta * alpha * r(y)) with r(y) = sigmoid(gamma * logit(y)) - 1/2 and the gate
    alpha = 1 / (1 + exp(1000 * (max(y) - tau))); then y + delta * min(1, budget / ||delta||_1) with delta = y' - y.

    On a grid of 1/256 the gate is a step: open where the largest code is below 256 * tau, closed otherwise (the formula
    says 1/2 where both are equal, .98 and .02 one code away). With tau = 1 it is always open: RS within a budget.

    The official code differs: one number is beta and tau, the budget is reported but never enforced, and the odds are
    clamped before the logarithm, so that r is 0 above 1/2. Here beta and tau are separate, and the paper's r is used.
    """

    name = "dcp"
    final = False
    strength = "beta"

    beta: float = option(0.7, "strength of the noise", 0, 2)
    tau: float = option(0.7, "the gate opens where the largest posterior is below it", 0, 1)
    gamma: float = option(0.2, "steepness of the noise", 0.001, 10)
    budget: float = option(1.0, "largest L1 distance between answer and posterior, enforced", 0, 2)
    preserve_top1: bool = option(True, "keep the label where the noise would change it")

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    @cached_property
    def table(self) -> np.ndarray:
        """Weight of every code where the gate is open, uint16 [256]."""
        return weight_table(self.beta, self.gamma)

    @property
    def threshold(self) -> int:
        """The gate is open where the largest code is below this one."""
        return math.ceil(TOTAL * self.tau)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns perturbed codes where the gate is open."""
        top = codes.argmax(axis=1)
        largest = np.take_along_axis(codes, top[:, np.newaxis], axis=1)
        noisy = np.where(largest < self.threshold, perturb(codes, self.table), codes)
        answers = step_towards(codes, noisy, budget_units(self.budget))
        return keep_top(answers, top) if self.preserve_top1 else answers

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step with its table of 512 bytes."""
        parameters = {
            "weights": Array(self.table),
            "threshold": self.threshold,
            "units": budget_units(self.budget),
            "keep": int(self.preserve_top1),
        }
        return (ResponseStep("tc_respond_reverse_sigmoid", parameters),)
