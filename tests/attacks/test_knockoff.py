"""KnockoffNets: what it asks, and what it never sees."""

import dataclasses

import numpy as np
import pytest

from tinycerb.attacks import ATTACKS, AttackInputs
from tinycerb.attacks.students import STUDENTS
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.events import ignore

POOL = np.random.default_rng(0).integers(0, 256, (200, 28, 28, 1), dtype=np.uint8)
# Bright images are class 1, dark ones class 0: easy to learn from answers alone.
POOL[::2] //= 8


class Recorder:
    """An oracle that answers by brightness and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    @property
    def charged(self) -> int:
        return sum(map(len, self.asked))

    def query(self, images: np.ndarray) -> np.ndarray:
        self.asked.append(images)
        bright = (images.mean(axis=(1, 2, 3)) > 60).astype(int)
        return np.eye(2, dtype=np.float32)[bright]


def steal(config: AttackConfig, student: str = "plain_cnn", seed: int = 1):
    oracle, epochs = Recorder(), []
    clone = STUDENTS[student]((28, 28, 1), 2)
    inputs = AttackInputs(oracle, POOL, clone, config, seed, lambda predict: epochs.append(predict(POOL)), ignore)
    ATTACKS["knockoff"](inputs)
    return oracle, epochs


@pytest.mark.parametrize("student", list(STUDENTS))
def test_clone_learns_from_the_answers(student: str) -> None:
    oracle, epochs = steal(AttackConfig("k", epochs=6, batch_size=16), student)
    assert oracle.charged == len(POOL)
    assert len(epochs) == 6
    truth = (POOL.mean(axis=(1, 2, 3)) > 60).astype(int)
    assert (epochs[-1] == truth).mean() > 0.95


def test_each_image_is_asked_once_within_the_budget() -> None:
    oracle, _ = steal(AttackConfig("k", budget=50, epochs=1))
    asked = np.concatenate(oracle.asked)
    assert len(asked) == len(np.unique(asked, axis=0)) == 50


def test_a_budget_above_the_pool_is_named() -> None:
    with pytest.raises(UsageError, match=r"budget is 201.*200 distinct"):
        steal(AttackConfig("k", budget=201))


def test_an_attacker_is_given_no_model_no_labels_no_test_set() -> None:
    names = {field.name for field in dataclasses.fields(AttackInputs)}
    assert names == {"oracle", "pool", "student", "config", "seed", "on_epoch", "report"}


@pytest.mark.parametrize(("student", "parameters"), [("plain_cnn", 124_010), ("batchnorm_cnn", 94_634)])
def test_students_are_never_smaller_than_the_demo_victim(student: str, parameters: int) -> None:
    assert STUDENTS[student]((28, 28, 1), 10).count_params() == parameters > 55_000
