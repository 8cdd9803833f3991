"""Owners whose teachers are fitted at a small scale, and what suspects answer them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from tinycerb.bench.cell_inputs import TeacherRecipe
from tinycerb.datasets.procedural import generate
from tinycerb.ownership.owner_key import OwnerKey
from tinycerb.ownership.questions import Questions, draw_questions
from tinycerb.verification.make_teachers import fit_all
from tinycerb.verification.teachers import TeacherLabels, Teachers
from tinycerb.verification.verdict import Verdict, judge

FAMILIES = ("strokes", "gratings", "shades", "spectral_noise")
SHAPE, CLASSES = (10, 12, 1), 10
MINE, THIEF = OwnerKey(bytes(range(32))), OwnerKey(bytes(32))


@dataclass(frozen=True)
class Case:
    """100 questions of an owner, what the owner's model answers, and its teachers."""

    questions: Questions
    model: np.ndarray
    teachers: Teachers
    said: TeacherLabels
    p0: dict[str, float]

    def judge(self, labels: np.ndarray, **more: object) -> Verdict:
        return judge(labels, self.model, self.questions, self.said, self.p0, 1e-3, **more)  # type: ignore[arg-type]


def noisy(labels: np.ndarray, kept: float, seed: int) -> np.ndarray:
    """Labels of which only a share is kept; the rest is anything."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(labels)) < kept, labels, rng.integers(0, CLASSES, len(labels)))


@pytest.fixture(scope="session")
def case_of() -> Callable[[OwnerKey], Case]:
    drawn = generate(FAMILIES, 200, np.zeros((1, *SHAPE), np.uint8), 4)
    fitted = {key: fit_all(TeacherRecipe(1, drawn, None), CLASSES, 4, key.words("teachers")) for key in (MINE, THIEF)}

    @cache
    def case(key: OwnerKey, count: int = 100) -> Case:
        questions = draw_questions(key, 1, count, FAMILIES, SHAPE)
        said = fitted[key].labels(questions)
        # A protected network gives half of what its teacher says off the task, as the committed one does.
        model = noisy(said.mine, 0.5, 1)
        return Case(questions, model, fitted[key], said, dict.fromkeys(FAMILIES, 0.2))

    return case
