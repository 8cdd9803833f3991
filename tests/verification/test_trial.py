"""Asking until it is enough, and the null that stands beside a key."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from tests.verification.small_owner import CLASSES, FAMILIES, MINE, Case
from tinycerb.errors import UsageError
from tinycerb.ownership.ledger import Null, note_null
from tinycerb.ownership.owner import open_owner
from tinycerb.ownership.owner_key import new_owner_key, write_owner_key
from tinycerb.ownership.questions import Questions
from tinycerb.verification.owned_model import OwnedModel, open_owned_model
from tinycerb.verification.trial import examine, looks, population_of
from tinycerb.verification.verdict import CLONE, NO_PROOF

FORTRESS = Path(__file__).parents[1] / "assets" / "fortress.tflite"


@dataclass
class Told:
    """A suspect, or a model, that gives labels of a list, and counts what it is asked."""

    given: np.ndarray
    told: str = "told"
    asked: list[int] = field(default_factory=list)

    def labels(self, questions: Questions) -> np.ndarray:
        start = sum(self.asked)
        self.asked.append(len(questions))
        return self.given[start : start + len(questions)]


def examined(case: Case, labels: np.ndarray, stop_early: bool):
    suspect = Told(labels)
    model: OwnedModel = Told(case.model)  # type: ignore[assignment]
    return examine(suspect, case.questions, model, case.teachers, case.p0, 1e-3, stop_early), suspect.asked


def test_it_stops_when_a_clone_is_shown_and_asks_no_more(case_of: Callable[..., Case]) -> None:
    mine = case_of(MINE)
    found, asked = examined(mine, mine.model, stop_early=True)
    assert (found.verdict, found.asked) == (CLONE, sum(asked))
    assert asked in ([20], [20, 20], [20, 20, 40])
    assert (found.population_by, found.looks) == ("1/E", 4)
    whole, asked = examined(mine, mine.model, stop_early=False)
    assert (whole.asked, asked, whole.population_by) == (100, [100], "exact binomial")


def test_it_asks_all_where_nothing_is_shown(case_of: Callable[..., Case]) -> None:
    mine = case_of(MINE)
    found, asked = examined(mine, (mine.model + 1) % CLASSES, stop_early=True)
    assert (found.verdict, found.asked, asked) == (NO_PROOF, 100, [20, 20, 40, 20])


def test_looks_are_few_because_each_one_costs() -> None:
    assert looks(200) == [20, 40, 80, 160, 200]
    assert (looks(3), looks(20), looks(21)) == ([3], [20], [20, 21])


def test_the_null_is_the_noted_one_or_a_cautious_guess(tmp_path: Path) -> None:
    write_owner_key(tmp_path / "owner.key", new_owner_key())
    owner = open_owner(str(tmp_path / "owner.key"))
    model = open_owned_model(FORTRESS, owner)
    guessed = population_of(model, owner, FAMILIES)
    assert (dict(guessed.p0), guessed.measured) == (dict.fromkeys(FAMILIES, 0.2), False)
    assert "not measured; measure it: tinycerb ownership calibrate RUN" in guessed.told
    note_null(owner, model.tensors, Null({"strokes": 0.12, "gratings": 0.3}, 8, 400))
    noted = population_of(model, owner, FAMILIES)
    assert noted.p0 == {"strokes": 0.12, "gratings": 0.3, "shades": 0.2, "spectral_noise": 0.2}
    assert (noted.measured, "8 independent models, 400 questions each" in noted.told) == (True, True)
    # Of another model nothing is known.
    assert not population_of(replace(model, tensors="f" * 64), owner, FAMILIES).measured
    # Where nothing says how a model was trained, the families of its null are asked.
    assert model.families(owner) == ("strokes", "gratings")
    with pytest.raises(UsageError, match="smoke has no victim"):
        open_owned_model(FORTRESS, owner, "smoke")
