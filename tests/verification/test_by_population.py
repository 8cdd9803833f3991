"""The exact binomial and its limits, against values that were computed by hand."""

from math import comb

import numpy as np
import pytest

from tinycerb.verification.by_population import family_p0, tail, unknown_p0, upper_limit


def test_tails_are_binomial_where_rates_are_alike() -> None:
    assert tail(3, np.full(3, 0.1)) == pytest.approx(0.001, rel=1e-12)
    assert tail(1, np.full(3, 0.1)) == pytest.approx(1 - 0.9**3, rel=1e-12)
    assert tail(0, np.full(3, 0.1)) == 1
    for asked, agreed, rate in ((50, 27, 0.2), (50, 50, 0.1), (100, 31, 0.07)):
        expected = sum(comb(asked, k) * rate**k * (1 - rate) ** (asked - k) for k in range(agreed, asked + 1))
        assert tail(agreed, np.full(asked, rate)) == pytest.approx(expected, rel=1e-10)
    # Far below what a difference from 1 could tell.
    assert tail(50, np.full(50, 0.1)) == pytest.approx(1e-50, rel=1e-10)


def test_tails_of_several_rates_by_hand() -> None:
    """Two questions at 1/2 and 1/4: both 1/8, none 3/8, so that one or more is 5/8."""
    rates = np.array([0.5, 0.25])
    assert tail(2, rates) == pytest.approx(1 / 8, rel=1e-12)
    assert tail(1, rates) == pytest.approx(5 / 8, rel=1e-12)
    # A question that everybody agrees on says nothing.
    assert tail(2, np.array([1.0, 0.25])) == pytest.approx(0.25, rel=1e-12)


def test_upper_limits_by_their_closed_forms() -> None:
    """No success in n: 1 - 0.01^(1/n). All: 1. One less than all: (0.99)^(1/n) by the mirror image."""
    assert upper_limit(0, 30) == pytest.approx(1 - 0.01 ** (1 / 30), rel=1e-10)
    assert upper_limit(5, 5) == upper_limit(0, 0) == 1
    assert upper_limit(9, 10) == pytest.approx(0.99 ** (1 / 10), rel=1e-10)
    # As the definition says: as few successes or fewer have the probability 1 %.
    limit = upper_limit(4, 40)
    assert 1 - tail(5, np.full(40, limit)) == pytest.approx(0.01, rel=1e-8)


def test_p0_is_the_worst_model_s_limit_and_never_below_chance() -> None:
    assert family_p0([0, 2], [30, 30], 10) == pytest.approx(upper_limit(2, 30), rel=1e-12)
    assert family_p0([0, 0], [10_000, 10_000], 10) == 0.1
    assert (unknown_p0(10), unknown_p0(3)) == (0.2, pytest.approx(1 / 3))


def test_it_alarms_as_seldom_as_it_says() -> None:
    """20,000 independent pairs at their largest rates: no level is reached more often than it says."""
    rng = np.random.default_rng(1)
    rates = np.tile([0.1, 0.2, 0.35], 20)
    tails = np.array([tail(agreed, rates) for agreed in range(61)])
    p = tails[(rng.random((20_000, 60)) < rates).sum(axis=1)]
    for level in (0.2, 0.05, 0.01, 0.001):
        allowed = 20_000 * level + 4 * np.sqrt(20_000 * level)
        assert (p <= level).sum() <= allowed
    assert (p <= 0.05).sum() > 300
