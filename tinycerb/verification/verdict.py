"""What answers show: both statistics, the larger p-value, and a verdict in words."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinycerb.ownership.questions import Questions
from tinycerb.verification.by_population import tail
from tinycerb.verification.by_secret import Explanation, explanation
from tinycerb.verification.sequential import log_e_values, p_of
from tinycerb.verification.suspects import REFUSED
from tinycerb.verification.teachers import TeacherLabels

CLONE, NO_PROOF, INCONCLUSIVE = "clone", "no proof", "inconclusive"
# Where the e-value is said to have passed.
_STRICT = 1e-6
# The first look of a verification that may stop early; every other one comes after twice as many questions.
LOOK = 20


@dataclass(frozen=True)
class FamilyCount:
    """Of one family: questions asked, agreements, and the null's rate."""

    asked: int
    agreed: int
    p0: float


@dataclass(frozen=True)
class Verdict:
    """What a verification has found.

    Attributes:
        verdict: `clone`, `no proof` or `inconclusive`.
        reason: why, in a sentence.
        level: the largest p of a clone.
        p: the larger of both p-values; None where there is none.
        p_population: against independent models.
        p_secret: among teachers of other keys, None without a teacher.
        population_by: `exact binomial`, or `1/E` where it was stopped early.
        looks: how often it could have been stopped; p_secret is already multiplied by it.
        secret: how the owner's teacher explains the answers.
        asked: questions.
        agreed: answers that are the model's.
        refused: questions without an answer.
        strict_after: after how many questions 1/E was below 1e-6, None if never.
        families: by name.
    """

    verdict: str
    reason: str
    level: float
    p: float | None
    p_population: float
    p_secret: float | None
    population_by: str
    looks: int
    secret: Explanation | None
    asked: int
    agreed: int
    refused: int
    strict_after: int | None
    families: Mapping[str, FamilyCount]


def judge(
    labels: np.ndarray,
    model_labels: np.ndarray,
    questions: Questions,
    teachers: TeacherLabels | None,
    p0: Mapping[str, float],
    level: float,
    looks: int = 1,
    stopped: bool = False,
) -> Verdict:
    """Judges answers.

    Args:
        labels: the suspect's, int [N], -1 for none.
        model_labels: the model's, int [N].
        questions: what was asked.
        teachers: what the owner's and those of other keys say; None where the model has none.
        p0: per family, the largest rate at which independent models agree.
        level: the largest p of a clone.
        looks: how often it could have been stopped.
        stopped: whether it was: then 1/E is the only p-value of the population.

    Returns:
        The verdict.
    """
    agreed = labels == model_labels
    rates = np.array([p0[family] for family in questions.families])[questions.kinds]
    log_e = log_e_values(agreed, rates)
    passed = np.flatnonzero(log_e >= -np.log(_STRICT))
    population = p_of(float(log_e[-1])) if stopped else tail(int(agreed.sum()), rates)
    secret = None
    if teachers is not None:
        # The owner's teacher has a part in what the model is sure of: its rank there would be no rank by chance.
        drawn = questions.at_random
        secret = explanation(labels[drawn], teachers.mine[drawn], teachers.others[:, drawn], questions.kinds[drawn])
    p_secret = None if secret is None else min(1.0, secret.p * looks)
    # Whatever a teacher would say, the larger one is no smaller than the population's.
    known = [each for each in (population, p_secret) if each is not None]
    p = max(known) if len(known) == 2 or population > level else None
    verdict, reason = _in_words(labels, rates, population, secret, p, level, looks)
    return Verdict(
        verdict=verdict,
        reason=reason,
        level=level,
        p=p,
        p_population=population,
        p_secret=p_secret,
        population_by="1/E" if stopped else "exact binomial",
        looks=looks,
        secret=secret,
        asked=len(labels),
        agreed=int(agreed.sum()),
        refused=int((labels == REFUSED).sum()),
        strict_after=int(passed[0]) + 1 if len(passed) else None,
        families={
            name: FamilyCount(int((of := questions.kinds == kind).sum()), int(agreed[of].sum()), p0[name])
            for kind, name in enumerate(questions.families)
        },
    )


def _in_words(
    labels: np.ndarray,
    rates: np.ndarray,
    population: float,
    secret: Explanation | None,
    p: float | None,
    level: float,
    looks: int,
) -> tuple[str, str]:
    answered = labels != REFUSED
    if tail(int(answered.sum()), rates[answered]) > level:
        return INCONCLUSIVE, (
            f"{answered.sum()} answers are too few: even if all agreed, p would be above {level:g}; ask more questions"
        )
    if len(np.unique(labels[answered])) == 1:
        return INCONCLUSIVE, f"the suspect answers {labels[answered][0]} whatever it is asked"
    if population > level:
        return NO_PROOF, "the suspect agrees with the model no more than independent models may"
    if secret is None or p is None:
        return INCONCLUSIVE, (
            "the suspect agrees with the model, but no teacher of this key is known that could explain its answers; "
            "name the model as RUN/victims/NAME, or say by --preset how it was trained"
        )
    if secret.bound * looks > level:
        return INCONCLUSIVE, f"{secret.teachers:,} teachers can show no p below {secret.bound * looks:.1g}"
    if p <= level:
        return CLONE, "the suspect agrees with the model more than independent models do, and your key explains why"
    return NO_PROOF, (
        "the suspect agrees with the model, but other keys' teachers explain its answers as well as yours does: it is "
        "not shown that the model is yours"
    )
