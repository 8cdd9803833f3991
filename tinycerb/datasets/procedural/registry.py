"""The table of procedural families, and what several of them need."""

from collections.abc import Callable

import numpy as np

from tinycerb.registry import Registry

# (generator, how many, the victim's training images) -> float32 [how many, height, width, channels] in 0..1
Family = Callable[[np.random.Generator, int, np.ndarray], np.ndarray]
FAMILIES: Registry[Family] = Registry("procedural family")


def grid(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres in -1..1: vertical and horizontal coordinate, each float32 [height, width]."""
    height, width = shape[1:3]
    vertical = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    horizontal = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    return np.meshgrid(vertical, horizontal, indexing="ij")  # type: ignore[return-value]


def uniform(rng: np.random.Generator, low: float, high: float, *shape: int) -> np.ndarray:
    return rng.uniform(low, high, shape).astype(np.float32)
