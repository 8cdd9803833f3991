"""Intervals, paired differences and areas: what may be said of figures that seeds and test images make uncertain."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import integrate, stats

from tinycerb.reports.matrix.results import Interval

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        mean: the figure.
        low: lower end of the 95 % interval.
        high: upper end.
        basis: what the interval covers, for people.
    """

    mean: float
    low: float
    high: float
    basis: str

    def table(self) -> Interval:
        """Returns it as JSON."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "basis": self.basis}


def share_estimate(shares: Sequence[float], test_images: int) -> Estimate:
    """Estimates an accuracy from one value per victim seed, each measured on `test_images` images.

    With two seeds or more: Student's t over the seeds. With one: Wilson's binomial interval, which covers the chance of
    the test images and says nothing of that of seeds. Ends are cut at 0 and 1.
    """
    if len(shares) > 1:
        low, high = _t_interval(shares)
        return Estimate(float(np.mean(shares)), max(low, 0.0), min(high, 1.0), f"t over {len(shares)} victim seeds")
    (share,) = shares
    interval = stats.binomtest(round(share * test_images), test_images).proportion_ci(CONFIDENCE, method="wilson")
    basis = f"binomial over {test_images:,} test images; one seed, so the chance of seeds is not in it"
    return Estimate(share, float(interval.low), float(interval.high), basis)


def difference_estimate(ours: Sequence[float], reference: Sequence[float], test_images: int) -> Estimate:
    """Estimates `ours - reference`, paired by victim seed.

    With two seeds or more: Student's t over the paired differences. With one: Newcombe's hybrid score interval, which
    takes the two for independent and is therefore wider than a paired one on the same test images.

    Raises:
        ValueError: the two are not of the same seeds.
    """
    if len(ours) != len(reference):
        raise ValueError(f"{len(ours)} and {len(reference)} values do not pair")
    if len(ours) > 1:
        differences = np.subtract(ours, reference)
        low, high = _t_interval(differences)
        return Estimate(float(differences.mean()), low, high, f"paired t over {len(ours)} victim seeds")
    first, second = share_estimate(ours, test_images), share_estimate(reference, test_images)
    difference = first.mean - second.mean
    low = difference - math.hypot(first.mean - first.low, second.high - second.mean)
    high = difference + math.hypot(first.high - first.mean, second.mean - second.low)
    basis = f"Newcombe over {test_images:,} test images; one seed, so the chance of seeds is not in it"
    return Estimate(difference, low, high, basis)


def _t_interval(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    mean, error = float(np.mean(values)), float(stats.sem(values))
    # Equal values have no spread, and scipy would answer NaN.
    if error == 0:
        return mean, mean
    low, high = stats.t.interval(CONFIDENCE, len(values) - 1, loc=mean, scale=error)
    return float(low), float(high)


def area_over_log_calls(calls: Sequence[int], accuracies: Sequence[float]) -> float | None:
    """Returns the mean accuracy over the logarithm of the calls, 0 to 1; None with fewer than two budgets.

    The curve is made to rise first: whoever may ask more may also ask less. Between budgets it is straight over the
    logarithm.
    """
    best: dict[int, float] = {}
    for count, accuracy in zip(calls, accuracies, strict=True):
        best[count] = max(accuracy, best.get(count, 0.0))
    points = sorted((count, accuracy) for count, accuracy in best.items() if count > 0)
    if len(points) < 2:
        return None
    logs = np.log10([count for count, _ in points])
    rising = np.maximum.accumulate([accuracy for _, accuracy in points])
    return float(integrate.trapezoid(rising, logs)) / float(logs[-1] - logs[0])
