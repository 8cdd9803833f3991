"""Gradients of a black box by finite differences, for victims that see 8 bits per pixel and answer with 8 bits."""

from collections.abc import Callable

import numpy as np


def unit_directions(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Returns directions of length 1, evenly spread over the sphere, float32 `shape`; the first axis counts them."""
    directions = random.standard_normal(shape, np.float32)
    lengths = np.sqrt((directions.reshape(len(directions), -1) ** 2).sum(axis=1))
    return directions / lengths.reshape(-1, *[1] * (len(shape) - 1))


def forward_gradient(
    values: Callable[[np.ndarray], np.ndarray],
    points: np.ndarray,
    at_points: np.ndarray,
    step: float,
    directions: int,
    random: np.random.Generator,
) -> np.ndarray:
    """Estimates gradients by forward differences along random directions.

    (D / m) * sum_i (f(x + step * u_i) - f(x)) / step * u_i, D the dimensions of a point (MAZE, Kariyappa et al., CVPR
    2021, equation 5).

    Args:
        values: the function from points [N, ...] to values [N]; it is called once per direction.
        points: float32 [N, ...].
        at_points: its values there, [N].
        step: length of a step.
        directions: m, how many are tried for each point.
        random: draws them.

    Returns:
        float32, as `points`.
    """
    dimensions = points[0].size
    gradient = np.zeros_like(points)
    for _ in range(directions):
        along = unit_directions(random, points.shape)
        slopes = (values(points + step * along) - at_points) / step
        gradient += slopes.reshape(-1, *[1] * (points.ndim - 1)).astype(np.float32) * along
    return gradient * (dimensions / directions)
