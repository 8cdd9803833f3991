"""By the secret: how often a teacher of another key explains the suspect's labels as well as the owner's does.

Whoever is independent of the owner's key has answered without it, so that the owner's teacher is one among many that
could as well have been drawn. Its place among them is a p-value that needs no model of how anybody answers.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Explanation:
    """How well the owner's teacher explains labels.

    Attributes:
        p: share of all teachers, the owner's among them, that explain the labels at least as well.
        teachers: how many of other keys.
        explained: share of the labels that the owner's teacher gives.
        others: the mean of that share over teachers of other keys.
    """

    p: float
    teachers: int
    explained: float
    others: float

    @property
    def bound(self) -> float:
        """The least p that so many teachers can show; a smaller one is not extrapolated."""
        return 1 / (self.teachers + 1)


def explanation(labels: np.ndarray, mine: np.ndarray, others: np.ndarray, kinds: np.ndarray) -> Explanation:
    """Ranks the owner's teacher among those of other keys.

    Families differ in how alike all teachers are there: within each, agreements are standardised over all teachers,
    and the sum over families is compared. All teachers count alike in that, so that the rank stays exact. Where the
    suspect answers a constant, or nothing, families say little and ties count against the owner.

    Args:
        labels: the suspect's, int [N], -1 for none.
        mine: the owner's teacher's, int [N].
        others: those of other keys, int [T, N].
        kinds: family of each question, int [N].
    """
    all_teachers = np.concatenate([mine[np.newaxis], others])
    agreed = all_teachers == labels
    score = np.zeros(len(all_teachers))
    for kind in np.unique(kinds):
        counts = agreed[:, kinds == kind].sum(axis=1)
        deviation = counts.std()
        if deviation > 0:
            score += (counts - counts.mean()) / deviation
    # Sums of the same numbers in another order are no difference.
    as_well = int((score >= score[0] - 1e-9).sum())
    shares = agreed.mean(axis=1)
    return Explanation(as_well / len(all_teachers), len(others), float(shares[0]), float(shares[1:].mean()))
