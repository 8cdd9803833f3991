"""MAD: answers that turn the attacker's gradient away."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinycerb.answers.normalise import TOTAL
from tinycerb.answers.responses.building_blocks.mad_subsets import best_subsets
from tinycerb.answers.responses.building_blocks.moves import budget_units, keep_top, one_hot, step_towards
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep, host_only
from tinycerb.converters.c_model.layer import Array
from tinycerb.options import check_options, option

# A drawn surrogate's posterior is held in steps of 1/1024, each class at one step or more.
_SURROGATE_TOTAL = 1024
_INVERSE_BITS = 20


@RESPONSES.register("mad")
@dataclass(frozen=True)
class GradientDeviation(Response):
    """Moves y towards an extreme point y*: (1 - a) y + a y*, a = min(1, epsilon / ||y - y*||_1).

    Prediction poisoning (Orekondy et al., ICLR 2020, arXiv 1906.10908). With the gradient of the last layer alone, as
    in the official code, the attacker's features cancel out of the objective, and of the surrogate only its posterior
    p remains: || (y* - p) / ||y* - p|| - (y - p) / ||y - p|| ||^2. A surrogate that was never trained, which the
    official code uses, answers about the same to everything: p is constant, and no network is needed.

    `extreme` takes the best one-hot y* in closed form: the class with the smallest <e_k - p, y - p> / ||e_k - p||; with
    a uniform p that is the least likely class. `argmin` takes the least likely class whatever p is. Ties: the lower
    class. `argmax_preserving` takes the best mean of a set of classes that holds the label (`mad_subsets`) and never
    changes the label; it searches for every answer, on the host only. The official code mixes at 1e-7 less than
    epsilon; here the distance is exact on the grid of 1/256.
    """

    name = "mad"
    final = False
    strength = "epsilon"

    epsilon: float = option(1.0, "L1 distance between answer and posterior", 0, 2)
    oracle: str = option("extreme", "how y* is found", choices=("extreme", "argmin", "argmax_preserving"))
    surrogate: str = option("uniform", "the surrogate's posterior", choices=("uniform", "dirichlet"))
    seed: int = option(0, "of a Dirichlet posterior", 0, 2**31 - 1)
    preserve_top1: bool = option(False, "keep the label where moving would change it")

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns codes moved towards y*, for the constant surrogate posterior."""
        return self.with_surrogate(codes, surrogate_weights(self.surrogate, self.seed, codes.shape[1]))

    def with_surrogate(self, codes: np.ndarray, surrogate: np.ndarray) -> np.ndarray:
        """The same with a surrogate of one's own.

        Args:
            codes: uint8 [N, classes].
            surrogate: its posterior, int64 [classes] or [N, classes] in any unit; rows sum to 1024 at most.
        """
        if self.oracle == "argmax_preserving":
            target = best_subsets(codes, np.broadcast_to(surrogate, codes.shape))
        elif self.oracle == "argmin":
            target = one_hot(codes.argmin(axis=1), codes.shape[1])
        else:
            target = one_hot(deviations(codes, surrogate).argmin(axis=1), codes.shape[1])
        answers = step_towards(codes, target, budget_units(self.epsilon))
        if self.preserve_top1 or self.oracle == "argmax_preserving":
            return keep_top(answers, codes.argmax(axis=1))
        return answers

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step with eight bytes per class."""
        if self.oracle == "argmax_preserving":
            raise host_only(self, "oracle=argmax_preserving tries up to 1024 sets of classes for every answer")
        uniform = self.oracle == "argmin" or self.surrogate == "uniform"
        surrogate = surrogate_weights("uniform" if uniform else self.surrogate, self.seed, classes)
        parameters = {
            "surrogate": Array(surrogate.astype(np.int32)),
            "inverse_norms": Array(inverse_norms(surrogate).astype(np.int32)),
            "total": int(surrogate.sum()),
            "squares": int((surrogate**2).sum()),
            "units": budget_units(self.epsilon),
            "keep": int(self.preserve_top1),
        }
        return (ResponseStep("tc_respond_mad", parameters),)


@lru_cache(maxsize=64)
def surrogate_weights(kind: str, seed: int, classes: int) -> np.ndarray:
    """Returns a constant surrogate posterior, int64 [classes] in units of its sum."""
    if kind == "uniform":
        return np.ones(classes, np.int64)
    drawn = np.random.default_rng(seed).dirichlet(np.ones(classes))
    return 1 + np.floor(drawn * (_SURROGATE_TOTAL - classes)).astype(np.int64)


def inverse_norms(surrogate: np.ndarray) -> np.ndarray:
    """Returns 1 / ||e_k - p|| in steps of 2^-20, int64 of the surrogate's shape."""
    p = surrogate / surrogate.sum(axis=-1, keepdims=True)
    squared = 1 - 2 * p + (p**2).sum(axis=-1, keepdims=True)
    return np.rint(2**_INVERSE_BITS / np.sqrt(squared)).astype(np.int64)


def deviations(codes: np.ndarray, surrogate: np.ndarray) -> np.ndarray:
    """Returns <e_k - p, y - p> / ||e_k - p|| up to a positive factor per row, int64 [N, classes]."""
    total = surrogate.sum(axis=-1, keepdims=True)
    squares = (surrogate**2).sum(axis=-1, keepdims=True)
    values = codes.astype(np.int64)
    along = total * (surrogate * values).sum(axis=1, keepdims=True)
    products = values * total**2 - TOTAL * total * surrogate - along + TOTAL * squares
    return products * inverse_norms(surrogate)
