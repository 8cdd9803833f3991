"""ModelGuard-W's linear programme, solved exactly in integers.

With the label's mass L given, what remains is greedy: every other class may hold up to L; mass leaves the most likely
classes first, what exceeds L before all, and arrives at the least likely ones first. The best value as a function
of L is convex, so L is found by bisection.
"""

from functools import cache

import numpy as np

from tinycerb.answers.normalise import TOTAL

_SCALE = 2**16


@cache
def surprise_table() -> np.ndarray:
    """Returns -ln(y) of every code with y held at 1/512 or more, int32 [256] in steps of 2^-16."""
    return np.rint(-np.log(np.maximum(np.arange(256) / 256, 1 / 512)) * _SCALE).astype(np.int32)


def fill(masses: np.ndarray, surprises: np.ndarray, units: int) -> np.ndarray:
    """Maximises sum_k surprise_k y'_k, moving at most `units`, with no class above the label.

    Args:
        masses: integers [N, classes], rows of one same sum; the label is the first largest.
        surprises: integers [N, classes], smaller for larger masses.
        units: half the L1 budget.

    Returns:
        integers [N, classes] with the same sums, at most the sum less 1 each; the label is a largest, not always the
        first largest.
    """
    total = int(masses[0].sum()) if len(masses) else TOTAL
    order = np.argsort(-masses, axis=1, kind="stable")
    problem = _Problem(
        np.take_along_axis(masses, order, axis=1), np.take_along_axis(surprises, order, axis=1), units, total
    )
    # The smallest L from which one more does not help; below `low` the budget or the room does not suffice.
    low = np.full((len(masses), 1), -(-total // masses.shape[1]), masses.dtype)
    high = np.minimum(problem.masses[:, :1] + units, total - 1)
    for _ in range(int(total - 1).bit_length()):
        middle = (low + high) // 2
        here, possible = problem.value(middle)
        above, _ = problem.value(middle + 1)
        go_up = ((above > here) | ~possible) & (middle < high)
        low = np.where(go_up, middle + 1, low)
        high = np.where(go_up, high, middle)
    answers = np.empty_like(masses)
    np.put_along_axis(answers, order, problem.solve(low)[0], axis=1)
    return answers


class _Problem:
    """The programme over sorted classes: the label first, then from the most to the least likely."""

    def __init__(self, masses: np.ndarray, surprises: np.ndarray, units: int, total: int) -> None:
        self.masses, self.surprises, self.units, self.total = masses, surprises, units, total
        others = masses.shape[1] - 1
        self._after = np.arange(others - 1, -1, -1, dtype=masses.dtype)

    def value(self, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the best value and whether it is within the budget, [N, 1] each, for labels' masses [N, 1]."""
        answers, possible = self.solve(label)
        return (answers * self.surprises).sum(axis=1, keepdims=True), possible

    def solve(self, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the best masses [N, classes], and whether the budget suffices, bool [N, 1]."""
        first, rest = self.masses[:, :1], self.masses[:, 1:]
        # Were there no budget: the least likely classes filled up to L, the others empty.
        extreme = np.clip(self.total - label * (1 + self._after), 0, label)
        forced = np.maximum(rest - label, 0)
        free = np.maximum(rest - extreme, 0) - forced
        wanted = np.maximum(extreme - rest, 0)
        must_leave = forced.sum(axis=1, keepdims=True) + np.maximum(first - label, 0)
        must_arrive = np.maximum(label - first, 0)
        moved = np.minimum(wanted.sum(axis=1, keepdims=True) + must_arrive, self.units)
        possible = (must_leave <= self.units) & (must_arrive <= self.units)
        leaving = np.clip(moved - must_leave - free.cumsum(axis=1) + free, 0, free) + forced
        room = wanted.sum(axis=1, keepdims=True) - wanted.cumsum(axis=1)
        arriving = np.clip(moved - must_arrive - room, 0, wanted)
        return np.concatenate([label, rest - leaving + arriving], axis=1), possible
