"""The e-value: by hand, valid wherever one stops, and quick where a clone is."""

import numpy as np
import pytest

from tinycerb.verification.sequential import log_e_values, p_of


def test_one_answer_by_hand() -> None:
    """At p0 = 0.2 an agreement is worth p1/p0, the mean of 1.4, 1.8 ... 4.6, and none (1 - p1)/0.8, of 0.9 ... 0.1."""
    (agreed,) = log_e_values(np.array([True]), np.array([0.2]))
    (refused,) = log_e_values(np.array([False]), np.array([0.2]))
    assert np.exp(agreed) == pytest.approx(3.0, rel=1e-12)
    assert np.exp(refused) == pytest.approx(0.5, rel=1e-12)
    assert (p_of(agreed), p_of(refused)) == (pytest.approx(1 / 3), 1.0)


def test_two_answers_by_hand() -> None:
    """The mean of products, not the product of means."""
    shares = np.arange(1, 10) / 10
    p1 = np.array([0.2, 0.5])[:, np.newaxis] + shares * np.array([0.8, 0.5])[:, np.newaxis]
    expected = np.mean(p1[0] / 0.2 * (1 - p1[1]) / 0.5)
    after = log_e_values(np.array([True, False]), np.array([0.2, 0.5]))
    assert np.exp(after[1]) == pytest.approx(expected, rel=1e-12)
    assert np.exp(after[0]) == pytest.approx(3.0, rel=1e-12)


def test_a_question_that_everybody_answers_alike_says_nothing() -> None:
    after = log_e_values(np.array([True, True]), np.array([0.2, 1.0]))
    assert after[1] == after[0]


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_it_is_valid_at_any_stop(share: float) -> None:
    """Stopped at its highest, over 300 answers of 4,000 independent pairs: seldom enough at every level."""
    rng = np.random.default_rng(7)
    p0 = np.tile([0.1, 0.2, 0.35], 100)
    highest = np.array([log_e_values(rng.random(300) < share * p0, p0).max() for _ in range(4000)])
    for level in (0.2, 0.05, 0.01):
        count = int((np.exp(-highest) <= level).sum())
        assert count <= 4000 * level + 4 * np.sqrt(4000 * level)
    # It is no empty promise: at the edge of the null it comes near to some of its levels.
    assert share < 1 or (np.exp(-highest) <= 0.2).sum() > 200


@pytest.mark.parametrize(("p0", "most"), [(0.1, 40), (0.2, 70)])
def test_a_clone_is_seen_within_few_answers(p0: float, most: int) -> None:
    """A clone that agrees on 57 %: the median number of answers to 1e-6."""
    rng = np.random.default_rng(3)
    needed = []
    for _ in range(400):
        after = log_e_values(rng.random(400) < 0.57, np.full(400, p0))
        needed.append(int(np.argmax(after >= np.log(1e6))) + 1 if (after >= np.log(1e6)).any() else 400)
    assert 10 < np.median(needed) <= most
