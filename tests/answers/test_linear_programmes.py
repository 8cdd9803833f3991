"""Responses that solve a linear programme, against SciPy's solver (HiGHS)."""

import numpy as np
import pytest
from scipy.optimize import linprog

from tests.answers.posteriors import random_codes
from tinycerb.answers.responses import parse_response
from tinycerb.answers.responses.building_blocks.moves import budget_units
from tinycerb.answers.responses.building_blocks.redirection import redirect
from tinycerb.answers.responses.building_blocks.water_filling import fill, surprise_table


def best_value(masses: np.ndarray, gains: np.ndarray, units: int, top: int | None = None, cap: int = 255) -> float:
    """Maximises gains . (masses + added - removed) with at most `units` added; `top` stays a largest class."""
    count = len(masses)
    both = np.ones(count)
    equal = np.concatenate([both, -both])[np.newaxis]
    rows = [np.concatenate([both, 0 * both])]
    limits = [float(units)]
    eye = np.eye(count)
    for other in range(count):
        if top is not None and other != top:
            above = eye[other] - eye[top]
            rows.append(np.concatenate([above, -above]))
            limits.append(float(masses[top] - masses[other]))
    bounds = [(0, cap - mass) for mass in masses] + [(0, mass) for mass in masses]
    objective = -np.concatenate([gains, -gains])
    solved = linprog(objective, A_ub=np.array(rows), b_ub=limits, A_eq=equal, b_eq=[0.0], bounds=bounds)
    assert solved.status == 0, solved.message
    return float(gains @ masses) - solved.fun


@pytest.mark.parametrize("classes", [2, 5, 10])
def test_redirection_is_the_linear_programme(classes: int) -> None:
    """1,000 cases in all."""
    rng = np.random.default_rng(classes)
    codes = random_codes(334, classes, seed=classes)
    directions = rng.normal(size=codes.shape)
    directions[:50] = np.rint(directions[:50])
    for row in range(len(codes)):
        epsilon = float(rng.uniform(0, 2))
        answer = redirect(codes[row : row + 1], directions[row : row + 1], epsilon)[0].astype(np.int64)
        expected = best_value(codes[row].astype(np.int64), directions[row], budget_units(epsilon), cap=256)
        # A code of 256 does not fit a byte: one unit stays where it was.
        capped = answer.max() == 255
        slack = np.ptp(directions[row]) if capped else 0
        assert expected - slack - 1e-6 <= directions[row] @ answer <= expected + 1e-6
        assert np.abs(answer - codes[row]).sum() <= epsilon * 256


@pytest.mark.parametrize("classes", [2, 3, 10, 20])
def test_modelguard_w_is_the_linear_programme(classes: int) -> None:
    """On a grid so fine that rounding hardly counts: the programme itself has no grid."""
    rng = np.random.default_rng(classes)
    fineness = 5040
    for codes in random_codes(100, classes, seed=classes):
        surprises = surprise_table()[codes].astype(np.int64)
        units = int(rng.integers(0, 256)) * fineness
        masses = codes.astype(np.int64) * fineness
        answer = fill(masses[np.newaxis], surprises[np.newaxis], units)[0]
        expected = best_value(masses, surprises, units, int(codes.argmax()), 256 * fineness - 1)
        # One step of the label moves every class by one, worth a programme's whole range of gains at most.
        slack = classes * np.ptp(surprises)
        assert expected - slack <= surprises @ answer <= expected + 1e-6 * abs(expected) + 1
        assert answer.sum() == 256 * fineness
        assert np.abs(answer - masses).sum() <= 2 * units
        assert answer[codes.argmax()] == answer.max()


@pytest.mark.parametrize("epsilon", [0.2, 1.0, 1.7])
@pytest.mark.parametrize("classes", [2, 10])
def test_modelguard_w_in_codes_is_within_one_step_of_it(classes: int, epsilon: float) -> None:
    codes = random_codes(100, classes, seed=9)
    answers = parse_response(f"modelguard_w,epsilon={epsilon}")(codes)
    units = budget_units(epsilon)
    for row, answer in zip(codes, answers, strict=True):
        gains = surprise_table()[row].astype(np.float64)
        expected = best_value(row.astype(np.int64), gains, units, int(row.argmax()))
        assert expected - classes * np.ptp(gains) <= gains @ answer <= expected + 1
        assert np.abs(answer.astype(int) - row).sum() <= epsilon * 256
        assert answer.argmax() == row.argmax()
