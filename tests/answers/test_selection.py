"""Head selection."""

import numpy as np
import pytest

from tinycerb.answers.selection import HEAD_SELECTIONS
from tinycerb.errors import UsageError


def test_random_heads_are_even() -> None:
    from scipy.stats import chisquare

    heads = HEAD_SELECTIONS["random"](30_000, 3, np.random.default_rng(1))
    assert chisquare(np.bincount(heads, minlength=3)).pvalue > 0.001


def test_fixed_is_head_zero() -> None:
    assert not HEAD_SELECTIONS["fixed"](5, 3, np.random.default_rng(1)).any()


def test_unknown_selection_lists_the_known() -> None:
    with pytest.raises(UsageError, match="known: fixed, random"):
        HEAD_SELECTIONS["rondom"]
