"""Which images each step sees, as a function of seed, stage and epoch alone: a resumed epoch sees the same."""

import zlib
from collections.abc import Iterator

import numpy as np


class Batches:
    """Index batches over the training images and, optionally, over the out-of-distribution images."""

    def __init__(self, images: int, batch_size: int, other_images: int, other_batch_size: int, seed: int) -> None:
        """Prepares batches.

        Args:
            images: number of training images.
            batch_size: training images in a step; capped at `images`.
            other_images: number of out-of-distribution images, 0 for none.
            other_batch_size: out-of-distribution images in a step.
            seed: the run's seed.
        """
        self._images = images
        self._batch_size = min(batch_size, images)
        self._other_images = other_images
        self._other_batch_size = other_batch_size if other_images else 0
        self._seed = seed

    @property
    def steps(self) -> int:
        """Steps in an epoch; images that do not fill a batch wait for another epoch's order."""
        return self._images // self._batch_size

    def epoch(self, stage: str, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields (training indices, out-of-distribution indices) for each step, int32 each."""
        rng = np.random.default_rng([self._seed, zlib.crc32(stage.encode()), epoch])
        order = rng.permutation(self._images).astype(np.int32)
        for step in range(self.steps):
            start = step * self._batch_size
            other = rng.integers(0, max(self._other_images, 1), self._other_batch_size).astype(np.int32)
            yield order[start : start + self._batch_size], other

    def draw(self, stage: str, epoch: int, step: int) -> np.ndarray:
        """Returns what seeds the random numbers of a step, int32 [2]."""
        first = zlib.crc32(f"{self._seed} {stage} {epoch}".encode()) & 0x7FFFFFFF
        return np.array([first, step], np.int32)
