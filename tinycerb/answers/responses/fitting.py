"""What a response is given to learn from its victim, when the victim is converted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tinycerb.datasets.images import Dataset

if TYPE_CHECKING:
    from tinycerb.keras_models.legacy import keras


@dataclass(frozen=True)
class Surrogate:
    """A stand-in for the thief's student.

    Attributes:
        network: images in 0..1 to logits, stopped early.
        posteriors: what it was distilled from, the victim's on its images, float32 [N, classes].
    """

    network: keras.Model
    posteriors: np.ndarray


class FittingContext(Protocol):
    """A trained victim, as a response sees it.

    Attributes:
        dataset: the victim's data; the test part is not for responses.
        families: of out-of-distribution images that the run draws.
        drawn_images: how many of them it draws.
        folder: the victim's folder, for the response's `files`.
        seed: the run's seed.
        key_words: of the owner key, for what is secret; none where the owner is public.
    """

    @property
    def dataset(self) -> Dataset: ...

    @property
    def families(self) -> tuple[str, ...]: ...

    @property
    def drawn_images(self) -> int: ...

    @property
    def folder(self) -> Path: ...

    @property
    def seed(self) -> int: ...

    @property
    def key_words(self) -> tuple[int, ...]: ...

    def clean_posteriors(self, images: np.ndarray) -> np.ndarray:
        """Returns the trained victim's posteriors of its first head, float32 [N, classes], for uint8 images."""
        ...

    def surrogate(self, images: np.ndarray, epochs: int, seed: int) -> Surrogate:
        """Distils a fresh network like the victim's, with one head, from the mean of the victim's heads.

        Args:
            images: uint8 [N, height, width, channels], what a thief may ask.
            epochs: few: an early surrogate is what a thief's student is like while it learns most.
            seed: of its weights.
        """
        ...
