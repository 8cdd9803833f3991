"""Posteriors on a coarse grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinycerb.answers.normalise import TOTAL, normalise
from tinycerb.answers.responses.building_blocks.moves import keep_top
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep
from tinycerb.converters.c_model.layer import Array
from tinycerb.options import check_options, option


@RESPONSES.register("rounding")
@dataclass(frozen=True)
class Rounding(Response):
    """Rounds posteriors to a grid of 2^bits steps, halves up, or to decimals as papers do, halves to even.

    A class's number of steps is its weight; weights pass `normalise`. The label's is 1 at least. Classes that share
    the label's step may come out one unit above it; the label then changes places with the first of them, so that
    the answer's first largest code stays where the posterior's was.

    With `decimals` these are the values of ART's `Rounded` (`numpy.around`), which does not restore the sum of 1.
    """

    name = "rounding"
    final = True

    bits: int = option(2, "steps of the grid: 2^bits; with 8 nothing is rounded", 1, 8)
    decimals: int = option(0, "decimals instead of bits; 0: bits count", 0, 2)

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    @cached_property
    def steps(self) -> np.ndarray:
        """Number of steps of every code, uint8 [256]."""
        every = np.arange(TOTAL)
        if self.decimals:
            # Rounded first: the product with a power of ten must not decide a half.
            return np.rint(np.around(every / TOTAL, self.decimals) * 10**self.decimals).astype(np.uint8)
        step = TOTAL >> self.bits
        return ((every + step // 2) // step).astype(np.uint8)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns rounded codes with the same label."""
        top = codes.argmax(axis=1)
        weights = self.steps[codes]
        rows = np.arange(len(codes))
        weights[rows, top] = np.maximum(weights[rows, top], 1)
        return keep_top(normalise(weights), top)

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step with its table of 256 bytes."""
        return (ResponseStep("tc_respond_rounding", {"steps": Array(self.steps)}),)
