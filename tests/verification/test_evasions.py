"""What a suspect may do about questions: a registry of ways to see them, and random answers to what is seen."""

import numpy as np
import pytest

from tests.verification.test_removals import CLASSES, OWN, TRUE, thief
from tinycerb.datasets.procedural import generate
from tinycerb.verification.evasions import EVASIONS, evading
from tinycerb.verification.removals import labels_of

DRAWN = generate(("spectral_noise",), 60, OWN, 9)


@pytest.mark.parametrize("name", list(EVASIONS))
def test_its_task_is_kept_and_random_answers_come_where_it_looks_foreign(name: str) -> None:
    given = thief()
    foreign = EVASIONS[name](given)
    suspect = evading(given, foreign)
    seen = foreign(OWN)
    assert seen.dtype == bool
    assert (suspect(OWN)[~seen] == labels_of(given.clone, OWN)[~seen]).all()
    everything = evading(given, lambda images: np.ones(len(images), bool))(DRAWN)
    assert len(np.unique(everything)) == CLASSES
    assert (everything == evading(given, lambda images: np.ones(len(images), bool))(DRAWN)).all()


def test_a_detector_of_the_generator_sees_it() -> None:
    foreign = EVASIONS["looks-drawn"](thief())
    assert foreign(DRAWN).mean() > foreign(OWN).mean() + 0.3


def test_the_unsure_lose_a_twentieth_of_their_own_images() -> None:
    assert EVASIONS["unsure"](thief())(OWN).mean() == pytest.approx(0.05, abs=0.02)
    assert len(TRUE) == len(OWN)
