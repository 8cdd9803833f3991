"""The normaliser that every answer passes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinycerb.answers.normalise import TOTAL, normalise

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
    assert normalise(np.array([codes], np.uint8)).tolist() == [expected]


def test_a_row_of_zeros_is_no_posterior() -> None:
    with pytest.raises(ValueError, match="all zero"):
        normalise(np.zeros((1, 3), np.uint8))
