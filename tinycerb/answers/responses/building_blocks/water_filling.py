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
        np.take_along_axis(masses, order, axis=1).T.copy(),
        np.take_along_axis(surprises, order, axis=1).T.copy(),
        units,
        total,
    )
    low, high = problem.bounds()
    # The smallest L from which one more does not help.
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        go_up = (problem.value(middle + 1) > problem.value(middle)) & (middle < high)
        low = np.where(go_up, middle + 1, low)
        high = np.where(go_up, high, middle)
    answers = np.empty_like(masses)
    np.put_along_axis(answers, order, np.stack([low, *problem.solve(low)], axis=1), axis=1)
    return answers


class _Problem:
    """The programme over sorted classes: the label first, then from the most to the least likely.

    Arrays are [classes, N], so that every operation runs over many rows at once.
    """

    def __init__(self, masses: np.ndarray, surprises: np.ndarray, units: int, total: int) -> None:
        self.label, self.others = masses[0], masses[1:]
        self.units, self.total = units, total
        # Against the label's: the sum of all masses is given.
        self.gains = surprises[1:] - surprises[0]
        count = len(self.others)
        self._with_those_after = np.arange(count, 0, -1, dtype=masses.dtype)[:, np.newaxis]

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the label's smallest mass, [N], and one from which more cannot help.

        The smallest is what the budget can bring the n most likely classes down to, for the worst n. Nothing more helps
        once the least likely class has room for all that may move.
        """
        low = self.label - self.units
        reach = self.label - self.units
        for rank, row in enumerate(self.others, start=2):
            reach = reach + row
            low = np.maximum(low, -(-reach // rank))
        # The last of these bounds leaves the budget aside: all classes together hold everything.
        low = np.maximum(low, -(-self.total // (len(self.others) + 1)))
        room = np.maximum(low, self.others[-1] + self.units)
        return low, np.minimum(np.minimum(self.label + self.units, self.total - 1), room)

    def value(self, label: np.ndarray) -> np.ndarray:
        """Returns the best value, [N], for labels' masses [N]; without meaning where it is not possible."""
        return (self.solve(label) * self.gains).sum(axis=0, dtype=self.gains.dtype)

    def solve(self, label: np.ndarray) -> np.ndarray:
        """Returns the best masses of the other classes, [classes - 1, N]."""
        # Were there no budget: the least likely classes filled up to L, the others empty.
        extreme = np.minimum(np.maximum(self.total - label * self._with_those_after, 0), label)
        change = extreme - self.others
        wanted = np.maximum(change, 0)
        capped = np.minimum(self.others, label)
        free = capped - np.minimum(extreme, capped)
        raised = np.maximum(label - self.label, 0)
        before, after = _running_sums(free), _running_sums(wanted[::-1])[::-1]
        all_wanted = after[0] + wanted[0]
        moved = np.minimum(all_wanted + raised, self.units)
        must_leave = (self.others - capped).sum(axis=0, dtype=label.dtype) + np.maximum(self.label - label, 0)
        leaving = np.minimum(np.maximum(moved - must_leave - before, 0), free)
        arriving = np.minimum(np.maximum(moved - raised - after, 0), wanted)
        return capped - leaving + arriving


def _running_sums(rows: np.ndarray) -> np.ndarray:
    """Returns the sum of all rows before each one; by rows, which NumPy's cumsum over a first axis is not."""
    sums = np.zeros_like(rows)
    for index in range(1, len(rows)):
        np.add(sums[index - 1], rows[index - 1], out=sums[index])
    return sums
