"""A transition matrix that is learned against a student harms it more than an even one."""

import numpy as np
import pytest

from tinycerb.answers.responses import parse_response, portable_text, response_text
from tinycerb.answers.responses.building_blocks.transition_matrix import learn_transitions
from tinycerb.answers.responses.chain import Combined
from tinycerb.answers.responses.ntm import NoiseTransition
from tinycerb.conversion.fitting import TrainedVictim
from tinycerb.datasets import load_dataset
from tinycerb.errors import UsageError
from tinycerb.events import ignore

CLASSES, FEATURES = 5, 8


@pytest.fixture(scope="module")
def task():
    """Five clouds of points that overlap a little; the thief's questions lie around them."""
    rng = np.random.default_rng(2)
    centres = rng.normal(0, 2, (CLASSES, FEATURES))
    labels = rng.integers(0, CLASSES, 600)
    own = centres[labels] + rng.normal(0, 1, (600, FEATURES))
    asked = rng.normal(0, 2, (800, FEATURES))
    distances = ((asked[:, None] - centres) ** 2).sum(axis=2)
    posteriors = np.exp(-distances / 2 + distances.min(axis=1, keepdims=True) / 2)
    return asked, posteriors / posteriors.sum(axis=1, keepdims=True), own, labels


def student_accuracy(task, transitions: np.ndarray) -> float:
    """An independent student: SciPy minimises the soft cross-entropy of a softmax regression."""
    from scipy.optimize import minimize

    asked, posteriors, own, labels = task
    answers = posteriors @ transitions
    inputs, tests = (np.concatenate([part, np.ones((len(part), 1))], axis=1) for part in (asked, own))

    def loss(flat: np.ndarray):
        weights = flat.reshape(FEATURES + 1, CLASSES)
        logits = inputs @ weights
        logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        gradient = inputs.T @ (np.exp(logs) - answers) / len(asked) + 1e-4 * weights
        return -(answers * logs).sum(axis=1).mean() + 5e-5 * (flat**2).sum(), gradient.ravel()

    found = minimize(loss, np.zeros((FEATURES + 1) * CLASSES), jac=True, method="L-BFGS-B").x
    return float(((tests @ found.reshape(FEATURES + 1, CLASSES)).argmax(axis=1) == labels).mean())


def even(noise: float) -> np.ndarray:
    return (1 - noise) * np.eye(CLASSES) + noise * (1 - np.eye(CLASSES)) / (CLASSES - 1)


def test_it_harms_a_student_more_than_an_even_matrix(task) -> None:
    learned = learn_transitions(0.6, *task)
    assert student_accuracy(task, np.eye(CLASSES)) > 0.85
    assert student_accuracy(task, learned) < student_accuracy(task, even(0.6)) - 0.1


def test_rows_are_distributions_with_the_wanted_noise(task) -> None:
    learned = learn_transitions(0.3, *task)
    np.testing.assert_allclose(learned.sum(axis=1), 1)
    np.testing.assert_allclose(np.diag(learned), 0.7, atol=1e-6)
    assert (learned >= 0).all()


def test_a_run_learns_the_matrix_when_it_converts(smoke_run) -> None:
    text = "ntm,noise=0.4,learned=true+rounding,bits=4"
    victim, dataset = smoke_run.victims["undefended"], load_dataset(smoke_run.config.data)
    context = TrainedVictim(smoke_run.config, victim, dataset, victim.files.folder, ignore)
    both = parse_response(text).fit(context)
    assert isinstance(both, Combined)
    matrix, rounding = both.parts
    assert isinstance(matrix, NoiseTransition)
    found = matrix.transitions(10)
    assert (np.diag(found) == round(0.6 * 256)).mean() > 0.5
    # It learned something: the noise of a class goes to few others.
    assert (np.sort(found, axis=1)[:, -2] > 40).mean() > 0.5
    assert rounding == parse_response("rounding,bits=4")
    assert parse_response(response_text(both)) == both
    assert parse_response("dcp").fit(context) == parse_response("dcp")


def test_without_a_run_there_is_no_matrix() -> None:
    with pytest.raises(UsageError, match=r"learned=true has no matrix.*tinycerb run"):
        portable_text("ntm,learned=true", 10)
    with pytest.raises(UsageError, match="matrix and learned; give one"):
        parse_response(f"ntm,learned=true,matrix={'AAAA'}")
