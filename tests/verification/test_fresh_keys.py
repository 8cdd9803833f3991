"""Keys that nobody has used accuse nobody: the calibration of the p-value by the secret."""

import numpy as np
import pytest

from tests.verification.small_owner import CLASSES, FAMILIES, MINE, SHAPE
from tinycerb.datasets.procedural import generate
from tinycerb.verification.fresh_keys import p_of_fresh_keys


def test_fresh_keys_accuse_no_independent_model(case_of) -> None:
    case = case_of(MINE)
    rng = np.random.default_rng(8)
    labels = np.stack([rng.integers(0, CLASSES, 100), np.full(100, 3), case.said.others[4200]])
    drawn = generate(FAMILIES, 200, np.zeros((1, *SHAPE), np.uint8), 4)
    p = p_of_fresh_keys(labels, case.questions, case.teachers, drawn, 0, 12)
    assert p.shape == (12, 3)
    assert (p > 0).all()
    assert (p <= 1).all()
    # The mean of 36 uniform ones is between 0.3 and 0.7 but once in 30,000 times.
    assert p.mean() == pytest.approx(0.5, abs=0.2)
    # Others' keys are other keys, and the same ones again.
    assert len(set(p[:, 0])) > 6
    assert (p_of_fresh_keys(labels, case.questions, case.teachers, drawn, 10, 2) == p[10:]).all()


def test_the_owner_s_own_key_would_be_told(case_of) -> None:
    """The same place among the same others is what a verification says."""
    case = case_of(MINE)
    assert case.judge(case.model).p_secret < 1e-3
