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
    shares = agreed.mean(axis=1)
    p = place(counts_by_kind(agreed, kinds))
    return Explanation(p, len(others), float(shares[0]), float(shares[1:].mean()))


def counts_by_kind(agreed: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Returns how often each teacher agrees, of bool [T, N] and int [N], int64 [T, kinds that there are]."""
    return np.stack([agreed[:, kinds == kind].sum(axis=1) for kind in np.unique(kinds)], axis=1)


def place(counts: np.ndarray) -> float:
    """Returns the share of all teachers that explain the labels as well as the first; counts int [T, kinds]."""
    deviations = counts.std(axis=0)
    useful = deviations > 0
    score = ((counts - counts.mean(axis=0))[:, useful] / deviations[useful]).sum(axis=1)
    # Sums of the same numbers in another order are no difference.
    return float((score >= score[0] - 1e-9).mean())
