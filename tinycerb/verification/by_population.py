"""By the population: how often independent models would agree with mine as much as the suspect does.

Suspect and model are given; the questions are drawn at random, so that agreements are independent, each with the pair's
own rate for the question's family. Against an independent pair that rate is at most p0 of the family.
"""

from collections.abc import Sequence

import numpy as np

# Taken where nobody has measured how independent models agree.
UNKNOWN_P0 = 0.2
_CONFIDENCE = 0.99


def upper_limit(agreed: int, asked: int, confidence: float = _CONFIDENCE) -> float:
    """Returns the exact upper limit of a rate (Clopper and Pearson, Biometrika 26, 1934).

    Args:
        agreed: successes, 0 to `asked`.
        asked: trials, 0 or more.
        confidence: of this one-sided limit.

    Returns:
        The rate at which as few successes or fewer have the probability 1 - confidence; 1 where all succeeded.
    """
    if agreed >= asked:
        return 1.0
    from scipy.special import betaincinv

    return float(betaincinv(agreed + 1, asked - agreed, confidence))


def family_p0(agreed: Sequence[int], asked: Sequence[int], classes: int) -> float:
    """Returns p0 of a family: the largest upper limit among independent models, never below 1/classes.

    Args:
        agreed: per independent model, on how many questions of the family it agreed.
        asked: per independent model, how many it was asked.
        classes: number of classes.
    """
    limits = [upper_limit(successes, trials) for successes, trials in zip(agreed, asked, strict=True)]
    return max(1 / classes, *limits)


def unknown_p0(classes: int) -> float:
    """Returns p0 where no independent model was looked at: 0.2, or chance where that is more."""
    return max(UNKNOWN_P0, 1 / classes)


def tail(agreed: int, p0: np.ndarray) -> float:
    """Returns the probability of as many agreements or more: exact binomial, or its sum over several rates.

    Args:
        agreed: how many there were.
        p0: rate of each question, float [N].

    Returns:
        P(X >= agreed) for X a sum of independent Bernoulli variables. All terms are positive, so that the smallest
        value is as exact as the largest.
    """
    if agreed <= 0:
        return 1.0
    distribution = np.zeros(len(p0) + 1)
    distribution[0] = 1.0
    for rate in p0:
        distribution[1:] = distribution[1:] * (1 - rate) + distribution[:-1] * rate
        distribution[0] *= 1 - rate
    return float(min(1.0, distribution[agreed:].sum()))
