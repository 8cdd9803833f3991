"""Intervals against published values and against what chance really does."""

import math

import numpy as np
import pytest
from scipy import stats

from tinycerb.bench.statistics import area_over_log_calls, difference_estimate, share_estimate


def test_one_seed_has_wilsons_interval() -> None:
    """Wilson's formula by hand."""
    estimate = share_estimate([0.8], 10_000)
    z = stats.norm.ppf(0.975)
    centre = (0.8 + z**2 / 20_000) / (1 + z**2 / 10_000)
    half = z * math.sqrt(0.8 * 0.2 / 10_000 + z**2 / 4e8) / (1 + z**2 / 10_000)
    assert estimate.low == pytest.approx(centre - half, abs=1e-9)
    assert estimate.high == pytest.approx(centre + half, abs=1e-9)
    assert "one seed" in estimate.basis


def test_three_seeds_have_students_interval() -> None:
    """Mean .6, sample deviation .1: half width 4.303 * .1 / sqrt(3)."""
    estimate = share_estimate([0.5, 0.6, 0.7], 10_000)
    assert estimate.mean == pytest.approx(0.6)
    assert estimate.high - estimate.mean == pytest.approx(4.30265 * 0.1 / math.sqrt(3), abs=1e-5)
    assert estimate.basis == "t over 3 victim seeds"


def test_shares_stay_shares() -> None:
    estimate = share_estimate([0.9, 1.0], 100)
    assert (estimate.low, estimate.high) == (pytest.approx(max(0.0, 0.95 - 12.7062 * 0.05), abs=1e-4), 1.0)


def test_newcombes_published_example() -> None:
    """9/10 against 3/10: 0.1705 to 0.8090 (Newcombe, Statistics in Medicine 1998, method 10)."""
    estimate = difference_estimate([0.9], [0.3], 10)
    assert (estimate.low, estimate.high) == (pytest.approx(0.1705, abs=1e-4), pytest.approx(0.8090, abs=1e-4))
    same = difference_estimate([0.8], [0.8], 70)
    assert same.low == pytest.approx(-same.high)


def test_pairing_takes_out_what_seeds_share() -> None:
    estimate = difference_estimate([0.50, 0.61, 0.69], [0.60, 0.70, 0.80], 10_000)
    assert estimate.mean == pytest.approx(-0.1)
    assert estimate.high < -0.07
    assert estimate.basis == "paired t over 3 victim seeds"
    # Of two seeds, too: -0.10 and -0.04, one degree of freedom.
    two = difference_estimate([0.5, 0.6], [0.6, 0.64], 10_000)
    assert (two.low, two.high) == (pytest.approx(-0.07 - 12.7062 * 0.03), pytest.approx(-0.07 + 12.7062 * 0.03))
    with pytest.raises(ValueError, match="2 and 1 values do not pair"):
        difference_estimate([0.1, 0.2], [0.1], 10)


def test_students_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(1)
    found = [share_estimate(list(rng.normal(0.5, 0.03, 3)), 10_000) for _ in range(1000)]
    assert 0.93 < np.mean([each.low <= 0.5 <= each.high for each in found]) < 0.97


def test_area_over_log_calls() -> None:
    assert area_over_log_calls([100, 1000, 10_000], [0.2, 0.4, 0.8]) == pytest.approx((0.3 + 0.6) / 2)
    # Whoever may ask more may also ask less.
    assert area_over_log_calls([100, 1000], [0.6, 0.4]) == pytest.approx(0.6)
    assert area_over_log_calls([500], [0.6]) is None
    # A single question is a budget, too; none is not.
    assert area_over_log_calls([1, 10], [0.1, 0.3]) == pytest.approx(0.2)
    assert area_over_log_calls([0, 10], [0.1, 0.3]) is None
    with pytest.raises(ValueError, match="shorter"):
        area_over_log_calls([1, 10], [0.1])


def test_a_budget_that_was_tried_twice_counts_with_its_best_clone() -> None:
    assert area_over_log_calls([100, 100, 10_000], [0.6, 0.4, 0.8]) == pytest.approx(0.7)
