"""The normaliser that every answer passes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinycerb.answers.normalise import LARGEST_WEIGHT, TOTAL, normalise

ROWS = arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(2, 100)))


@given(ROWS)
def test_sums_order_and_nearness(codes: np.ndarray) -> None:
    codes = codes[codes.sum(axis=1) > 0]
    shares = normalise(codes).astype(int)
    assert (shares.sum(axis=1) == TOTAL).all()
    for row, share in zip(codes.astype(int), shares, strict=True):
        larger = row[:, np.newaxis] > row[np.newaxis, :]
        # Larger codes never fall below smaller ones; the spill of a capped top may lift one zero to 1.
        assert (share[:, np.newaxis] - share[np.newaxis, :])[larger].min(initial=0) >= 0
        assert np.abs(share - row * TOTAL / row.sum()).max() <= 1


def by_hand(row: list[int]) -> list[int]:
    """The definition, class by class, in Python's integers."""
    total = sum(row)
    shares, remainders = [256 * code // total for code in row], [256 * code % total for code in row]
    served = sorted(range(len(row)), key=lambda k: (-remainders[k], -row[k], k))[: 256 - sum(shares)]
    shares = [share + (k in served) for k, share in enumerate(shares)]
    if max(shares) == 256:
        top = shares.index(256)
        runner_up = min(k for k in range(len(row)) if k != top)
        shares[top], shares[runner_up] = 255, 1
    return shares


@given(
    arrays(np.int64, st.tuples(st.just(1), st.integers(2, 12)), elements=st.integers(0, 12) | st.just(LARGEST_WEIGHT))
)
def test_the_definition_class_by_class(codes: np.ndarray) -> None:
    """Few values: many ties of remainders, and of codes; the largest weight that there may be among them."""
    if codes.any():
        assert normalise(codes).tolist() == [by_hand(codes[0].tolist())]


@given(ROWS)
def test_a_second_pass_changes_nothing(codes: np.ndarray) -> None:
    codes = codes[codes.sum(axis=1) > 0]
    once = normalise(codes)
    assert (normalise(once) == once).all()


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([255, 0, 0], [255, 1, 0]),
        ([0, 9, 0], [1, 255, 0]),
        ([128, 128], [128, 128]),
        ([1, 1, 1], [86, 85, 85]),
        ([100, 101, 57], [99, 100, 57]),
    ],
)
def test_worked_examples(codes: list[int], expected: list[int]) -> None:
    found = normalise(np.array([codes], np.uint8))
    assert found.tolist() == [expected]
    assert found.dtype == np.uint8


def test_a_row_of_zeros_is_no_posterior() -> None:
    with pytest.raises(ValueError, match=r"^a row of codes is all zero; a posterior needs"):
        normalise(np.zeros((1, 3), np.uint8))
