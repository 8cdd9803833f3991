"""The label alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.responses.building_blocks.moves import one_hot
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep


@RESPONSES.register("top1")
@dataclass(frozen=True)
class LabelOnly(Response):
    """Answers with the label alone: 255 for the first largest code, 1 for the first other class.

    The one that does not fit a byte goes where `normalise` puts it; it depends on the label only.
    """

    name = "top1"
    final = True

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns uint8 [N, classes] of 255, 1 and 0."""
        return one_hot(codes.argmax(axis=1), codes.shape[1])

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step; it has no parameters."""
        return (ResponseStep("tc_respond_top1", {}),)
