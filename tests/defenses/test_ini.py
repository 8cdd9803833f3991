"""InI's gradients against finite differences, and its terms against what they are for."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.defenses.conftest import CLASSES, make_batch, small_network
from tinycerb.defenses.base import TrainingContext
from tinycerb.defenses.ini import IsolationInduction
from tinycerb.defenses.losses.student_gradients import STUDENT_GRADIENTS, answer_distance, cosine, distillation_loss
from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras

COUNT = 12


def posteriors() -> tf.Tensor:
    return tf.nn.softmax(np.random.default_rng(1).normal(0, 2, (COUNT, CLASSES)).astype(np.float32))


def in_double(student: keras.Model) -> tuple[list[np.ndarray], Any]:
    """The two-layer student by hand, in float64: its weights, and its logits for other weights."""
    weights = [weight.numpy().astype(np.float64) for weight in student.weights]

    def logits(images: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
        kernel, bias, head, offset = weights
        return np.tanh(images.reshape(len(images), -1) @ kernel + bias) @ head + offset

    return weights, logits


def loss_in_double(logits: np.ndarray, wanted: np.ndarray, reverse: bool) -> float:
    own = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    if reverse:
        return float((np.exp(own) * (own - np.log(wanted))).sum(axis=1).mean())
    return float(-(wanted * own).sum(axis=1).mean())


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", ["exact", "last_layer"])
def test_gradients_agree_with_finite_differences(context: TrainingContext, kind: str, reverse: bool) -> None:
    student = small_network(1)
    images, wanted = context.dataset.train.images[:COUNT].astype(np.float64) / 255, posteriors()
    found = STUDENT_GRADIENTS[kind](student, reverse)(tf.constant(images, tf.float32), wanted).numpy()
    weights, logits = in_double(student)
    answers = np.asarray(wanted, np.float64)
    if kind == "last_layer":
        # Rows of [h, 1] by classes: the kernel, then the bias.
        kernel, bias = found[: weights[2].size].reshape(weights[2].shape), found[weights[2].size :]
        parts = {2: kernel, 3: bias}
    else:
        ends = np.cumsum([0, *(weight.size for weight in weights)])
        parts = {i: found[ends[i] : ends[i + 1]].reshape(weights[i].shape) for i in range(4)}
    rng = np.random.default_rng(2)
    for index, gradient in parts.items():
        for _ in range(10):
            at = tuple(rng.integers(0, size) for size in weights[index].shape)
            sides = []
            for step in (1e-5, -1e-5):
                moved = [weight.copy() for weight in weights]
                moved[index][at] += step
                sides.append(loss_in_double(logits(images, moved), answers, reverse))
            assert gradient[at] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=2e-5)


@pytest.mark.parametrize("kind", ["exact", "last_layer"])
def test_what_the_victim_learns_agrees_with_finite_differences(context: TrainingContext, kind: str) -> None:
    """The second-order part: how the isolation term moves with the victim's own logits."""
    gradients_of = STUDENT_GRADIENTS[kind](small_network(1), False)
    images = tf.constant(context.dataset.train.images[:COUNT], tf.float32) / 255
    truth = gradients_of(images, tf.one_hot(context.dataset.train.labels[:COUNT], CLASSES))
    start = np.random.default_rng(1).normal(0, 1, (COUNT, CLASSES)).astype(np.float32)
    direction = np.random.default_rng(2).normal(0, 1, start.shape).astype(np.float32)

    def term(logits) -> tf.Tensor:
        return cosine(gradients_of(images, tf.nn.softmax(logits)), truth)

    with tf.GradientTape() as tape:
        victim: Any = tf.Variable(tf.constant(start))
        value = term(victim)
    slope = float((tape.gradient(value, victim).numpy() * direction).sum())
    difference = float(term(start + 1e-2 * direction) - term(start - 1e-2 * direction)) / 2e-2
    assert slope == pytest.approx(difference, rel=0.02, abs=1e-3)
    assert abs(slope) > 1e-3


def test_training_against_it_turns_what_is_taught_from_what_is_true(context: TrainingContext) -> None:
    """On answers alone: the terms fall, and the student's gradient off the task all but vanishes."""
    terms = IsolationInduction(surrogate="random", gradient_weight=10.0).prepare(context)
    logits, other = (tf.Variable(tf.random.stateless_normal((COUNT, CLASSES), (4, index))) for index in range(2))
    optimizer = keras.optimizers.Adam(0.1)
    sums: list[list[float]] = []
    for _ in range(60):
        with tf.GradientTape() as tape:
            each = terms(make_batch(context, [logits + 0], [other + 0]))
            loss = tf.add_n(list(each))
        sums.append([float(term) for term in each])
        variables: list[Any] = [logits, other]
        gradients: list[Any] = tape.gradient(loss, variables)  # type: ignore[assignment]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
    assert len(sums[0]) == 3
    assert all(last < first for first, last in zip(sums[0], sums[-1], strict=True))
    assert sums[-1][0] < -0.3, "isolation: cosine of taught and true"


def test_distances(context: TrainingContext) -> None:
    logits = tf.constant([[2.0, 0.0, -1.0, -1.0]])
    assert float(answer_distance("l1", logits, logits)) == pytest.approx(0, abs=1e-6)
    assert float(answer_distance("kl", logits, logits)) == pytest.approx(0, abs=1e-6)
    even = tf.zeros((1, 4))
    assert float(answer_distance("entropy", logits, even)) < float(answer_distance("entropy", logits, logits))
    assert float(distillation_loss(logits, tf.nn.softmax(logits), True)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"surrogate": "none"}, "allowed: pretrained, random"),
        ({"gradients": "all"}, "allowed: last_layer, exact"),
        ({"distance": "l2"}, "allowed: l1, kl, entropy"),
        ({"isolation_weight": -1.0}, "allowed: 0 or more"),
        ({"ramp_epochs": float("nan")}, "allowed: 0 or more"),
    ],
)
def test_wrong_options_are_named(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        IsolationInduction(**options)
