"""A verification from the first question to the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinycerb.ownership.ledger import read_notes
from tinycerb.ownership.owner import Owner
from tinycerb.ownership.questions import Questions
from tinycerb.verification.by_population import unknown_p0
from tinycerb.verification.owned_model import OwnedModel
from tinycerb.verification.suspects import Suspect
from tinycerb.verification.teachers import Teachers
from tinycerb.verification.verdict import CLONE, LOOK, Verdict, judge


@dataclass(frozen=True)
class Population:
    """The null of a verification.

    Attributes:
        p0: per family.
        told: where it comes from.
        measured: whether independent models were looked at.
    """

    p0: Mapping[str, float]
    told: str
    measured: bool


def population_of(model: OwnedModel, owner: Owner, families: tuple[str, ...]) -> Population:
    """Returns how often independent models agree with the model, as noted beside the key, or a cautious guess.

    Raises:
        EnvironmentProblem: the notes are damaged.
    """
    noted = read_notes(owner).nulls.get(model.tensors)
    guess = unknown_p0(model.artifact.classes)
    if noted is None:
        told = f"p0 = {guess:.2g} of every family, not measured; measure it: tinycerb ownership calibrate RUN"
        return Population(dict.fromkeys(families, guess), told, False)
    p0 = {family: noted.p0.get(family, guess) for family in families}
    told = (
        f"p0 = {min(p0.values()):.2g} to {max(p0.values()):.2g} by family, the worst upper 99 % limit of "
        f"{noted.models} independent models, {noted.questions} questions each"
    )
    return Population(p0, told, True)


def looks(count: int) -> list[int]:
    """Returns after how many questions a verification that may stop early looks at its answers."""
    ends = [count]
    ends[:0] = [LOOK << double for double in range(count.bit_length()) if LOOK << double < count]
    return ends


def examine(
    suspect: Suspect,
    questions: Questions,
    model: OwnedModel,
    teachers: Teachers | None,
    p0: Mapping[str, float],
    level: float,
    stop_early: bool = False,
) -> Verdict:
    """Asks a suspect and judges its answers.

    Args:
        suspect: who is asked.
        questions: a batch that nobody has seen, or the one that its answers belong to.
        model: the owner's.
        teachers: the owner's and those of other keys; None where the model has none.
        p0: see `judge`.
        level: the largest p of a clone.
        stop_early: whether to stop, after 20 questions, 40, 80 and so on, as soon as a clone is shown.

    Raises:
        TinyCerbError: the suspect cannot be asked, or its answers are none.
    """
    expected = model.labels(questions)
    explained = None if teachers is None else teachers.labels(questions)
    if not stop_early:
        return judge(suspect.labels(questions), expected, questions, explained, p0, level)
    ends = looks(len(questions))
    labels = np.zeros(0, np.int64)
    for end in ends:
        labels = np.concatenate([labels, suspect.labels(questions.part(len(labels), end))])
        said = None if explained is None else explained.until(end)
        verdict = judge(labels, expected[:end], questions.part(0, end), said, p0, level, len(ends), stopped=True)
        if verdict.verdict == CLONE:
            break
    return verdict
