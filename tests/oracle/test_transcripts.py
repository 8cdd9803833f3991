"""Remembered answers are those that the oracle would give, at every question."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinycerb.datasets.query_pools import load_animal_mnist
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.oracle.transcripts import RememberedOracle

FIRST, SECOND, OTHER = np.split(load_animal_mnist()[:90], 3)


@pytest.fixture
def ask(smoke_run, tmp_path):
    """Asks a sequence of questions; returns the answers, the charge, and how often an oracle was started."""
    spec = OracleSpec(str(smoke_run.model("cerberos")), "probs", "random", 7)

    def run(*questions: np.ndarray, folder=tmp_path / "answers", code: str = ""):
        started = []

        def start() -> SealedOracle:
            started.append(1)
            return SealedOracle(spec)

        with RememberedOracle(spec, "digest", folder, start, code) as oracle:
            answers = [oracle.query(images) for images in questions]
            return answers, oracle.charged, len(started)

    return run


def test_the_same_questions_are_answered_from_disk_and_charged(ask) -> None:
    first, charged, started = ask(FIRST, SECOND)
    again, charged_again, started_again = ask(FIRST, SECOND)
    assert (charged, started) == (60, 1)
    assert (charged_again, started_again) == (60, 0)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


def test_other_code_gives_answers_of_its_own(ask) -> None:
    ask(FIRST)
    assert [ask(FIRST, code=code)[2] for code in ("", "one", "one", "two")] == [0, 1, 0, 1]


def test_a_new_question_after_remembered_ones_meets_the_same_draws(ask, tmp_path) -> None:
    ask(FIRST)
    (_, mixed), charged, started = ask(FIRST, OTHER)
    (_, fresh), _, _ = ask(FIRST, OTHER, folder=tmp_path / "elsewhere")
    assert (charged, started) == (60, 1)
    assert (mixed == fresh).all()


def test_repeats_are_asked_anew(ask) -> None:
    """A second look at the same image is another draw, not a remembered answer."""
    (first, second), charged, _ = ask(FIRST, FIRST)
    assert charged == 60
    assert (first != second).any()


def test_damaged_answers_are_moved_aside_and_asked_for_again(ask, tmp_path) -> None:
    (first,), _, _ = ask(FIRST)
    (path,) = (tmp_path / "answers").glob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    (again,), _, started = ask(FIRST)
    assert started == 1
    assert (first == again).all()
    assert path.with_name(f"{path.name}.damaged").exists()


def test_two_who_ask_the_same_at_once_start_one_oracle(smoke_run, tmp_path) -> None:
    spec = OracleSpec(str(smoke_run.model("cerberos")), "probs", "random", 7)
    started = []

    def start() -> SealedOracle:
        started.append(1)
        time.sleep(0.5)
        return SealedOracle(spec)

    def run(_: int) -> np.ndarray:
        with RememberedOracle(spec, "digest", tmp_path / "answers", start) as oracle:
            return oracle.query(FIRST)

    with ThreadPoolExecutor(2) as both:
        first, second = both.map(run, (1, 2))
    assert len(started) == 1
    assert (first == second).all()


def test_power_cycles_belong_to_the_questions(smoke_run, tmp_path) -> None:
    spec = OracleSpec(str(smoke_run.model("cerberos")), "probs", "seeded", 7)

    def ask(*questions: np.ndarray | None, folder: str) -> list[np.ndarray]:
        with RememberedOracle(spec, "digest", tmp_path / folder, lambda: SealedOracle(spec)) as oracle:
            answers = []
            for images in questions:
                if images is None:
                    oracle.reset()
                else:
                    answers.append(oracle.query(images))
            assert oracle.charged == sum(len(images) for images in questions if images is not None)
            return answers

    first, second = ask(FIRST, FIRST, folder="a")
    assert (first != second).any()
    reset_first, reset_second = ask(FIRST, None, FIRST, folder="a")
    assert (reset_first == first).all()
    assert (reset_second == first).all()
    # A new question after a remembered power cycle.
    mixed = ask(FIRST, None, FIRST, OTHER, folder="a")[-1]
    assert (mixed == ask(FIRST, None, FIRST, OTHER, folder="b")[-1]).all()


def test_few_images_are_asked_again_and_not_kept(smoke_run, tmp_path) -> None:
    spec = OracleSpec(str(smoke_run.model("cerberos")), "probs", "random", 7)
    answers = []
    for _ in range(2):
        with RememberedOracle(spec, "digest", tmp_path, lambda: SealedOracle(spec)) as oracle:
            answers.append(np.concatenate([oracle.query(FIRST[:1]), oracle.query(SECOND)]))
            assert oracle.charged == 31
    assert (answers[0] == answers[1]).all()
    assert len(list(tmp_path.glob("*.npz"))) == 1
