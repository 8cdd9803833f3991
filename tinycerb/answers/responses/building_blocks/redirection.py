"""GRAD^2's redirection: the answer that sends an attacker's gradient furthest along a chosen direction.

Mazeika, Li and Forsyth, ICML 2022, arXiv 2206.14157. A surrogate S with parameters theta has, for every question, rows
G_k = gradient of log S_k. Whoever distils y' moves along G'y'. The answer solves

    maximise c . y'   with c = G t   over the simplex, ||y' - y||_1 <= epsilon

for a target direction t. These are the pure solvers; `tinycerb.defenses` brings the surrogate. The official code
minimises and takes targets with the opposite sign, and takes batch means for `opposing`; here each question is alone.

On a device there are no gradients. `grad_head` stands in with one more dense layer: v = Z [h; 1] with the features h
of the model itself and a fixed secret random matrix Z (classes x features + 1). For the last layer alone
c = v - (p . v) 1: v orders the classes as c does, and `redirect(codes, v, epsilon)` with v in int8 is the answer.
"""

import numpy as np

from tinycerb.answers.responses.building_blocks.moves import LARGEST_CODE, budget_units, keep_top
from tinycerb.answers.responses.response import check_codes
from tinycerb.errors import UsageError


def all_ones(gradients: np.ndarray) -> np.ndarray:
    """Returns c for t = (1, ..., 1), the published GRAD^2: every answer pushes the same way.

    Args:
        gradients: G, float [N, classes, parameters]. Of the last dense layer alone c would be zero but for rounding.
    """
    return gradients.sum(axis=2)


def opposing(gradients: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Returns c for t = -G'y (MIN-IP): every answer pushes against its own honest gradient."""
    honest = np.einsum("nkp,nk->np", gradients, codes / 256)
    return -np.einsum("nkp,np->nk", gradients, honest)


def towards(gradients: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Returns c for a direction of one's own, float [parameters]: a watermark's or a reprogrammed task's gradient."""
    return gradients @ target


def redirect(codes: np.ndarray, directions: np.ndarray, epsilon: float, preserve_top1: bool = False) -> np.ndarray:
    """Solves the programme exactly over multiples of 1/256, in O(K log K).

    The class with the largest c gets what the budget allows; it is taken from the others in ascending order of c.
    Ties: the lower class gets, the lower class gives first.

    Args:
        codes: uint8 [N, classes], rows that sum to 256.
        directions: c, finite numbers [N, classes]; int8 scores serve as well.
        epsilon: L1 budget, 0 to 2.
        preserve_top1: keep the label.

    Returns:
        uint8 [N, classes], rows that sum to 256; the L1 distance is less than epsilon where the class is near 1.

    Raises:
        UsageError: a budget out of range, or directions that are not finite numbers of the codes' shape.
    """
    check_codes(codes)
    if not 0 <= epsilon <= 2:
        raise UsageError(f"epsilon is {epsilon!r}; allowed: 0 to 2")
    if directions.shape != codes.shape or not np.isfinite(directions).all():
        raise UsageError(f"directions are {directions.dtype} {directions.shape}; expected finite {codes.shape}")
    rows = np.arange(len(codes))
    best = directions.argmax(axis=1)
    answers = codes.astype(np.int64)
    moved = np.minimum(LARGEST_CODE - answers[rows, best], budget_units(epsilon))
    givers = answers.copy()
    givers[rows, best] = 0
    order = np.argsort(directions, axis=1, kind="stable")
    available = np.take_along_axis(givers, order, axis=1)
    before = available.cumsum(axis=1) - available
    given = np.clip(moved[:, np.newaxis] - before, 0, available)
    np.put_along_axis(answers, order, np.take_along_axis(answers, order, axis=1) - given, axis=1)
    answers[rows, best] += moved
    done = answers.astype(np.uint8)
    return keep_top(done, codes.argmax(axis=1)) if preserve_top1 else done
