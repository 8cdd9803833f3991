"""AM, adaptive misinformation: where the model is unsure, a second network answers, and answers wrongly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.normalise import TOTAL
from tinycerb.answers.responses.combining import Combiner, alone
from tinycerb.answers.responses.response import RESPONSES, ResponseStep
from tinycerb.options import check_options, option


@RESPONSES.register("am")
@dataclass(frozen=True)
class AdaptiveMisinformation(Combiner):
    """Answers (1 - a) f + a f_m with a = 1 / (1 + exp(nu (max f - tau))), a network f and a misinformed one f_m.

    Kariyappa and Qureshi, CVPR 2020, arXiv 1911.07100; nu is 1000 there and 10000 in the official code. Answers are
    multiples of 1/256: one such step away from tau, a is .98 or .02 already with 1000, so the mixture is a switch here:
    f_m answers where the largest code of f is below 256 * tau, f where it is equal or above (the formula says 1/2 where
    both are equal). There is therefore no option nu. Both networks run for every question, whoever answers.
    """

    name = "am"
    final = False
    strength = "tau"
    heads = 2
    trained_by = "am"

    tau: float = option(0.7, "the second network answers where the first one's largest posterior is below it", 0, 1)

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    @property
    def threshold(self) -> int:
        """The second network answers where the largest code is below this one."""
        return math.ceil(TOTAL * self.tau)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Refuses: there is no second network."""
        raise alone(self)

    def combine(self, logits: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Returns the posterior of one of the two networks."""
        honest, misinformed = codes[:, 0], codes[:, 1]
        return np.where(honest.max(axis=1, keepdims=True) < self.threshold, misinformed, honest)

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step; it has no tables."""
        return (ResponseStep("tc_combine_am", {"threshold": self.threshold}, heads=self.heads),)
