"""GRAD^2: every answer sends the thief's student in a direction that the defender has chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.responses.building_blocks.redirection import redirect
from tinycerb.answers.responses.response import RESPONSES, ResponseStep, host_only
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option

# A float network beside the victim's file: images to the direction per class.
AUXILIARY_MODEL = "redirection.tflite"


@RESPONSES.register("grad2")
@dataclass(frozen=True)
class GradientRedirection:
    """Solves max c . y' within an L1 budget for every question, where c comes from a surrogate of the thief's student.

    Mazeika, Li and Forsyth, ICML 2022. The surrogate is distilled from the clean victim when the victim is converted,
    on images of the task and procedural ones, and stopped early; c is its derivative along the target. Host only, and
    only within a run: a second network answers every question.
    """

    name = "grad2"
    final = True

    epsilon: float = option(1.0, "L1 budget", 0, 2)
    target: str = option(
        "all_ones", "direction of the student's parameters", choices=("all_ones", "random", "watermark")
    )
    surrogate_epochs: int = option(2, "epochs of the surrogate, stopped early", 1, 100)
    preserve_top1: bool = option(False, "keep the label")

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    @property
    def uses_owner_key(self) -> bool:
        """Where the target is a secret."""
        return self.target != "all_ones"

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Refuses: without the question's direction there is no answer."""
        raise UsageError(
            "response 'grad2' asks a second network about every question, which `tinycerb run` makes with the victim: "
            'name it in the configuration, response = "grad2", or with --defense grad2'
        )

    def answer(self, codes: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Returns the redirected codes, for directions float [N, classes]."""
        return redirect(codes, directions, self.epsilon, self.preserve_top1)

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Refuses."""
        raise host_only(self, "a surrogate network, twice, stands behind every answer")
