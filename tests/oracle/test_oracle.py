"""The sealed black box."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from tinycerb.datasets.query_pools import load_animal_mnist
from tinycerb.errors import EnvironmentProblem
from tinycerb.oracle import OracleSpec, SealedOracle

IMAGES = load_animal_mnist()[:300]


def ask(smoke_run, output: str = "probs", selection: str = "random", seed: int = 1, images=IMAGES) -> np.ndarray:
    with SealedOracle(OracleSpec(str(smoke_run.model("cerberos")), output, selection, seed)) as oracle:
        return oracle.query(images)


def test_answers_are_codes_that_sum_to_one(smoke_run) -> None:
    answers = ask(smoke_run)
    assert answers.shape == (300, 10)
    assert answers.dtype == np.float32
    assert (answers * 256 == np.rint(answers * 256)).all()
    assert (answers.sum(axis=1) == 1).all()


def test_every_image_is_counted_repeats_too(smoke_run) -> None:
    with SealedOracle(OracleSpec(str(smoke_run.model("cerberos")), "probs", "fixed", 1)) as oracle:
        assert oracle.charged == 0
        oracle.query(IMAGES[:7])
        oracle.query(IMAGES[:7])
        assert oracle.charged == 14


def test_random_heads_give_as_many_answers_as_heads_and_the_seed_repeats_them(smoke_run) -> None:
    repeated = np.repeat(IMAGES[:1], 60, axis=0)
    answers = ask(smoke_run, images=repeated)
    assert len(np.unique(answers, axis=0)) == 3
    assert (ask(smoke_run, images=repeated) == answers).all()
    assert (ask(smoke_run, images=repeated, seed=2) != answers).any()


def test_mean_is_the_average_of_the_heads(smoke_run) -> None:
    image = IMAGES[:1]
    heads = np.unique(ask(smoke_run, images=np.repeat(image, 60, axis=0)), axis=0)
    assert np.allclose(ask(smoke_run, selection="mean", images=image)[0], heads.mean(axis=0), atol=1e-6)


def test_labels_only(smoke_run) -> None:
    posteriors = ask(smoke_run, selection="fixed")
    labels = ask(smoke_run, output="top1", selection="fixed")
    assert set(np.unique(labels)) == {0.0, 1.0}
    assert (labels.argmax(axis=1) == posteriors.argmax(axis=1)).all()


@pytest.mark.parametrize("images", [IMAGES.astype(np.float32), IMAGES[:, :14], IMAGES[..., 0]])
def test_wrong_images_are_refused_with_their_shape(smoke_run, images) -> None:
    with pytest.raises(EnvironmentProblem, match=r"expected uint8 \(N, 28, 28, 1\)"):
        ask(smoke_run, images=images)


def test_a_missing_model_is_named(tmp_path) -> None:
    oracle = SealedOracle(OracleSpec(str(tmp_path / "none.tflite"), "probs", "fixed", 1))
    with oracle, pytest.raises(EnvironmentProblem, match=r"none\.tflite"):
        oracle.query(IMAGES[:1])


def killing(at: set[int]):
    """A report that kills the oracle once the given numbers of images are answered, and the list of its victims."""
    killed: list[int] = []

    def on_progress(event) -> None:
        if event.done in at and len(killed) < len(at):
            killed.append(oracles[0]._child.pid)
            os.kill(killed[-1], signal.SIGKILL)

    oracles: list[SealedOracle] = []
    return on_progress, oracles, killed


@pytest.mark.parametrize("selection", ["random", "seeded"])
def test_an_oracle_that_dies_between_frames_goes_on_as_if_it_had_not(smoke_run, selection: str) -> None:
    questions = np.tile(IMAGES, (2, 1, 1, 1))
    on_progress, oracles, killed = killing({250})
    spec = OracleSpec(str(smoke_run.model("cerberos")), "probs", selection, 1)
    with SealedOracle(spec, on_progress) as oracle:
        oracles.append(oracle)
        oracle.query(IMAGES[:7])
        oracle.reset()
        answers = oracle.query(questions)
        assert len(killed) == 1
        assert oracle.charged == 607
        again = oracle.query(IMAGES)
    with SealedOracle(spec) as undisturbed:
        undisturbed.query(IMAGES[:7])
        undisturbed.reset()
        assert (undisturbed.query(questions) == answers).all()
        assert (undisturbed.query(IMAGES) == again).all()


def test_an_oracle_that_dies_twice_is_an_error_and_not_a_hang(smoke_run) -> None:
    on_progress, oracles, killed = killing({250, 500})
    with SealedOracle(OracleSpec(str(smoke_run.model("cerberos")), "probs", "fixed", 1), on_progress) as oracle:
        oracles.append(oracle)
        with pytest.raises(EnvironmentProblem, match="stopped answering"):
            oracle.query(np.tile(IMAGES, (3, 1, 1, 1)))
        assert len(set(killed)) == 2


def test_a_power_cycle_brings_a_constant_seed_back_and_true_randomness_not(smoke_run) -> None:
    sequences = {}
    for selection in ("seeded", "random"):
        with SealedOracle(OracleSpec(str(smoke_run.model("cerberos")), "probs", selection, 1)) as oracle:
            sequences[selection] = []
            for _ in range(2):
                oracle.reset()
                sequences[selection].append(oracle.query(np.repeat(IMAGES[:1], 40, axis=0)))
            assert oracle.charged == 80
    assert len(np.unique(sequences["seeded"][0], axis=0)) == 3
    assert (sequences["seeded"][0] == sequences["seeded"][1]).all()
    assert (sequences["random"][0] != sequences["random"][1]).any()


def test_rounded_answers_have_one_decimal_and_the_same_label(smoke_run) -> None:
    posteriors = ask(smoke_run, selection="fixed")
    for selection in ("fixed", "mean"):
        rounded = ask(smoke_run, output="rounded", selection=selection)
        assert (rounded.sum(axis=1) == 1).all()
        assert (rounded * 256 == np.rint(rounded * 256)).all()
        # Tenths, but for what the sum of one asks.
        assert np.abs(rounded - np.around(rounded, 1)).max() < 0.06
    rounded = ask(smoke_run, output="rounded", selection="fixed")
    assert (rounded.argmax(axis=1) == posteriors.argmax(axis=1)).all()
    assert 0 < np.abs(rounded - posteriors).max() < 0.2


@pytest.mark.parametrize("output", ["probs", "top1"])
def test_the_mean_of_the_heads_answers_in_either_way(smoke_run, output: str) -> None:
    answers = ask(smoke_run, output=output, selection="mean")
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-6)
    assert (answers.argmax(axis=1) == ask(smoke_run, selection="mean").argmax(axis=1)).all()
    assert (set(np.unique(answers)) == {0.0, 1.0}) == (output == "top1")


def test_the_child_never_imports_tensorflow() -> None:
    code = "import sys, tinycerb.oracle.server; print(sorted({'tensorflow', 'tf_keras'} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
