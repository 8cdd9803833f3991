"""The diversity loss against its definition."""

from typing import Any

import numpy as np
import tensorflow as tf

from tinycerb.defenses.losses.diversity import cosine_log_sum_exp


def definition(logits: list[np.ndarray]) -> float:
    """log sum exp of pairwise cosines minus log of the number of pairs, averaged over images, in plain NumPy."""
    posteriors = [np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) for z in logits]
    values = []
    for row in range(len(logits[0])):
        cosines = [
            posteriors[i][row]
            @ posteriors[j][row]
            / np.linalg.norm(posteriors[i][row])
            / np.linalg.norm(posteriors[j][row])
            for i in range(len(logits))
            for j in range(i + 1, len(logits))
        ]
        values.append(np.log(np.sum(np.exp(cosines))) - np.log(len(cosines)))
    return float(np.mean(values))


def test_matches_the_definition() -> None:
    rng = np.random.default_rng(0)
    for heads in (2, 3, 5):
        logits = [rng.normal(0, 2, (7, 10)) for _ in range(heads)]
        assert np.isclose(float(cosine_log_sum_exp([tf.constant(z) for z in logits])), definition(logits), atol=1e-6)


def test_identical_heads_give_one_and_orthogonal_heads_zero() -> None:
    same = tf.constant([[3.0, 1.0, -2.0]])
    assert np.isclose(float(cosine_log_sum_exp([same, same, same])), 1.0, atol=1e-6)
    certain = [tf.constant([row * 50.0]) for row in np.eye(3, dtype=np.float32)]
    assert np.isclose(float(cosine_log_sum_exp(certain)), 0.0, atol=1e-6)


def test_the_gradient_makes_heads_disagree() -> None:
    logits: list[Any] = [tf.constant([[1.0, 0.5, 0.0]]), tf.constant([[0.9, 0.6, 0.1]])]
    with tf.GradientTape() as tape:
        tape.watch(logits)
        before = cosine_log_sum_exp(logits)
    gradients: list[Any] = tape.gradient(before, logits)  # type: ignore[assignment]
    moved = [value - 0.5 * gradient for value, gradient in zip(logits, gradients, strict=True)]
    assert float(cosine_log_sum_exp(moved)) < float(before)
