"""Verdicts on suspects whose answers are made of teachers: clones, independents, thieves with keys of their own."""

import numpy as np
import pytest

from tests.verification.small_owner import MINE, THIEF, noisy
from tinycerb.verification.verdict import CLONE, INCONCLUSIVE, NO_PROOF, judge


def test_a_clone_is_one_and_an_independent_model_is_none(case_of) -> None:
    mine = case_of(MINE)
    found = mine.judge(noisy(mine.model, 0.55, 2))
    assert (found.verdict, found.population_by, found.looks) == (CLONE, "exact binomial", 1)
    assert found.p == max(found.p_population, found.p_secret) == found.p_secret
    assert found.p_population < 1e-9
    assert found.strict_after is not None
    assert 10 < found.strict_after < 100
    assert found.secret is not None
    assert found.secret.explained > 0.25 > 2 * found.secret.others
    assert sum(of.agreed for of in found.families.values()) == found.agreed
    verdicts = [mine.judge(np.random.default_rng(seed).integers(0, 10, 100)).verdict for seed in range(50)]
    assert verdicts == [NO_PROOF] * 50


def test_a_thief_s_key_does_not_explain_the_original(case_of) -> None:
    """Agreement is symmetric: the clone agrees with the original as the original does with it."""
    thief = case_of(THIEF)
    # The thief's questions, put to the original, and to the clone that the thief presents as the original.
    original = noisy(case_of(MINE).teachers.mine(thief.questions), 0.5, 3)
    clone = noisy(original, 0.6, 4)
    found = judge(original, clone, thief.questions, thief.said, thief.p0, 1e-3)
    assert found.p_population < 1e-6
    assert (found.verdict, found.p_secret is not None and found.p_secret > 0.01) == (NO_PROOF, True)
    assert "not shown that the model is yours" in found.reason


def test_a_thief_who_trains_anew_under_a_key_of_his_own_loses_the_original_s_agreement(case_of) -> None:
    thief = case_of(THIEF)
    original = noisy(case_of(MINE).teachers.mine(thief.questions), 0.5, 3)
    found = thief.judge(original)
    assert (found.verdict, found.p_population > 1e-3) == (NO_PROOF, True)


def test_who_answers_a_constant_shows_nothing(case_of) -> None:
    mine = case_of(MINE)
    found = mine.judge(np.full(100, 7))
    assert (found.verdict, found.reason) == (INCONCLUSIVE, "the suspect answers 7 whatever it is asked")


def test_too_few_answers_are_said_to_be_too_few(case_of) -> None:
    mine = case_of(MINE)
    labels = mine.model.copy()
    labels[4:] = -1
    found = mine.judge(labels)
    assert (found.verdict, found.refused) == (INCONCLUSIVE, 96)
    assert found.reason.startswith("4 answers are too few: even if all agreed, p would be above 0.001; ask more")
    labels[4:40] = mine.model[4:40]
    assert mine.judge(labels).verdict == CLONE
    few = case_of(MINE, 4)
    assert few.judge(few.model).verdict == INCONCLUSIVE
    # Of answers there are none at all.
    assert mine.judge(np.full(100, -1)).verdict == INCONCLUSIVE


def test_without_a_teacher_agreement_alone_is_no_verdict(case_of) -> None:
    mine = case_of(MINE)
    found = judge(mine.model, mine.model, mine.questions, None, mine.p0, 1e-3)
    assert (found.verdict, found.p, found.p_secret) == (INCONCLUSIVE, None, None)
    assert "no teacher of this key is known" in found.reason
    other = judge((mine.model + 1) % 10, mine.model, mine.questions, None, mine.p0, 1e-3)
    assert (other.verdict, other.p) == (NO_PROOF, 1.0)


def test_who_stops_early_has_one_p_of_the_population_and_pays_for_looks(case_of) -> None:
    mine = case_of(MINE)
    labels = noisy(mine.model, 0.7, 2)
    whole, stopped = mine.judge(labels), mine.judge(labels, looks=5, stopped=True)
    assert stopped.population_by == "1/E"
    assert stopped.p_population > whole.p_population
    assert (whole.p_secret, stopped.p_secret) == (pytest.approx(1e-4), pytest.approx(5e-4))
    assert mine.judge(labels, looks=11, stopped=True).verdict == INCONCLUSIVE


def test_what_all_models_agree_on_proves_nothing(case_of) -> None:
    mine = case_of(MINE)
    known = {**mine.p0, "strokes": 1.0, "gratings": 1.0, "shades": 1.0}
    labels = np.where(mine.questions.kinds < 3, mine.model, (mine.model + 1) % 10)
    assert judge(labels, mine.model, mine.questions, mine.said, mine.p0, 1e-3).p_population < 1e-20
    found = judge(labels, mine.model, mine.questions, mine.said, known, 1e-3)
    assert (found.verdict, found.p_population) == (NO_PROOF, 1.0)
