"""PCGrad: gradients of several losses that oppose each other are projected before they are added."""

from typing import Any

import tensorflow as tf


def project_conflicts(gradients: list[list[Any]]) -> list[tf.Tensor]:
    """Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020, algorithm 1, in fixed order.

    Each loss's gradient (all variables as one vector) loses its component along every other one that it opposes; the
    results are added. The official code of InI averages instead, which shrinks the task's own step.

    Args:
        gradients: per loss, one tensor per variable, or None where a loss does not depend on it.

    Returns:
        One tensor per variable.
    """
    filled = [
        [
            next(g for g in column if g is not None) * 0 if value is None else value
            for value, column in zip(row, zip(*gradients, strict=True), strict=True)
        ]
        for row in gradients
    ]
    results = []
    for index, row in enumerate(filled):
        projected = row
        for other_index, other in enumerate(filled):
            if other_index != index:
                share = tf.minimum(_inner(projected, other), 0.0) / (_inner(other, other) + 1e-12)
                projected = [value - share * away for value, away in zip(projected, other, strict=True)]
        results.append(projected)
    return [tf.add_n(column) for column in zip(*results, strict=True)]


def _inner(first: list[tf.Tensor], second: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n([tf.reduce_sum(a * b) for a, b in zip(first, second, strict=True)])
