"""Moving probability between classes, in codes: what responses are made of.

Every function has its twin in `firmware_stub/runtime/codes.c`.
"""

import numpy as np

from tinycerb.answers.normalise import TOTAL

LARGEST_CODE = TOTAL - 1


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns uint8 [N, classes]: 255 for the label, and the 1 that is left for the first other class."""
    codes = np.zeros((len(labels), classes), np.uint8)
    rows = np.arange(len(labels))
    codes[rows, labels] = LARGEST_CODE
    codes[rows, (labels == 0).astype(np.int64)] = 1
    return codes


def budget_units(epsilon: float) -> int:
    """Returns how many units may move so that the L1 distance, twice as much, stays within epsilon."""
    return int(epsilon * TOTAL / 2)


def step_towards(codes: np.ndarray, target: np.ndarray, units: int) -> np.ndarray:
    """Moves at most `units` of 256 from codes towards a target: y + delta * min(1, units / (||delta||_1 / 2)).

    What arrives and what leaves is shared out in proportion to delta, class by class, as differences of rounded
    running sums: every class ends between its code and its target, and the L1 distance is exactly 2 * units where
    the target is further away.

    Args:
        codes: uint8 [N, classes], rows that sum to 256.
        target: the same.
        units: 0 to 256.

    Returns:
        uint8 [N, classes], rows that sum to 256.
    """
    delta = target.astype(np.int32) - codes
    gained = np.maximum(delta, 0).cumsum(axis=1, dtype=np.int32)
    lost = gained - delta.cumsum(axis=1, dtype=np.int32)
    distance = gained[:, -1:]
    moved = np.minimum(distance, np.int32(units))
    # Where the target is where the codes are, nothing moves, whatever one divides by.
    divisor = np.maximum(distance, 1)
    running = gained * moved // divisor - lost * moved // divisor
    running[:, 1:] -= running[:, :-1].copy()
    return (codes + running).astype(np.uint8)


def keep_top(answers: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Makes class `top` the first largest of its row again, without leaving an L1 budget.

    The code of `top` and the largest one change places; if a class before `top` is as large still, the first such
    class gives one unit to `top`. Where `top` was the first largest code of the row that the answer was made from,
    neither step increases the distance to that row.

    Args:
        answers: uint8 [N, classes].
        top: int64 [N].

    Returns:
        uint8 [N, classes] with the same sums and `argmax(axis=1) == top`.
    """
    found = answers.argmax(axis=1)
    (wrong,) = np.nonzero(found != top)
    if not wrong.size:
        return answers
    answers = answers.copy()
    label, other = top[wrong], found[wrong]
    answers[wrong, label], answers[wrong, other] = answers[wrong, other], answers[wrong, label]
    first = answers[wrong].argmax(axis=1)
    tied = first != label
    answers[wrong[tied], first[tied]] -= 1
    answers[wrong[tied], label[tied]] += 1
    return answers
