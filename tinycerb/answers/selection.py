"""Which head answers."""

from collections.abc import Callable

import numpy as np

from tinycerb.registry import Registry

# (number of images, heads, generator) -> int64 [number of images], the head of each image
HeadSelection = Callable[[int, int, np.random.Generator], np.ndarray]
HEAD_SELECTIONS: Registry[HeadSelection] = Registry("head selection")


@HEAD_SELECTIONS.register("random")
def random_head(count: int, heads: int, rng: np.random.Generator) -> np.ndarray:
    """Draws a head for each image, independently and evenly, as a device with a true random generator does."""
    return rng.integers(0, heads, count)


@HEAD_SELECTIONS.register("fixed")
def first_head(count: int, heads: int, rng: np.random.Generator) -> np.ndarray:
    """Always answers with head 0."""
    return np.zeros(count, np.int64)
