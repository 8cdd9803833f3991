"""ModelGuard-W: the least informative answer within a budget."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.responses.building_blocks.moves import budget_units, keep_top
from tinycerb.answers.responses.building_blocks.water_filling import fill, surprise_table
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep
from tinycerb.converters.c_model.layer import Array
from tinycerb.options import check_options, option


@RESPONSES.register("modelguard_w")
@dataclass(frozen=True)
class WhiteBoxGuard(Response):
    """Minimises sum_k log(y_k) y'_k over the simplex with ||y' - y||_1 <= epsilon and the label kept on top.

    ModelGuard-W (Tang et al., USENIX Security 2024). The official code hands the linear programme to a solver for every
    answer, with log(y_k + 1e-6) and the label at least 1e-4 ahead; here y_k is held at 1/512 or more, the label is the
    first largest code, and the programme is solved exactly over multiples of 1/256 (`water_filling`). Ties: among
    equally likely classes the lower one gives first, and the higher one receives first.
    """

    name = "modelguard_w"
    final = False
    strength = "epsilon"

    epsilon: float = option(1.0, "largest L1 distance between answer and posterior", 0, 2)

    def __post_init__(self) -> None:
        """Checks the option."""
        check_options(self)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns the programme's solution."""
        top = codes.argmax(axis=1)
        answers = fill(codes.astype(np.int32), surprise_table()[codes], budget_units(self.epsilon))
        return keep_top(answers.astype(np.uint8), top)

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step with its table of 1024 bytes."""
        parameters = {"surprises": Array(surprise_table()), "units": budget_units(self.epsilon)}
        return (ResponseStep("tc_respond_modelguard_w", parameters),)
