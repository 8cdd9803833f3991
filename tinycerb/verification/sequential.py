"""A likelihood ratio that may be looked at after every answer: an e-value (Vovk and Wang, Ann. Statist. 49, 2021).

The probability that it ever exceeds 1/a is at most a where no rate exceeds p0 (Ville's inequality), so that p = 1/E is
valid wherever one stops.
"""

import numpy as np

# Alternatives, as shares of the way from p0 to 1; each has an equal part of the stake.
_SHARES = np.arange(1, 10) / 10


def log_e_values(agreed: np.ndarray, p0: np.ndarray) -> np.ndarray:
    """Returns the e-value after every answer.

    Args:
        agreed: whether suspect and model agreed, bool [N].
        p0: the largest rate of an independent model for each question, float [N], above 0 and at most 1.

    Returns:
        float64 [N], natural logarithms: the mean over nine alternatives p1 = p0 + s (1 - p0), s = 0.1 to 0.9, of the
        product of (p1/p0) for an agreement and of (1 - p1)/(1 - p0) for none. For a rate p <= p0 the expected factor
        is p p1/p0 + (1 - p)(1 - p1)/(1 - p0) <= 1. Questions with p0 = 1 say nothing and count as 1.
    """
    p1 = p0 + _SHARES[:, np.newaxis] * (1 - p0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.where(agreed, np.log(p1) - np.log(p0), np.log1p(-p1) - np.log1p(-p0))
    products = np.cumsum(np.where(p0 < 1, factors, 0.0), axis=1)
    return np.logaddexp.reduce(products, axis=0) - np.log(len(_SHARES))


def p_of(log_e: float) -> float:
    """Returns p = 1/E, at most 1."""
    return float(np.exp(min(0.0, -log_e)))
