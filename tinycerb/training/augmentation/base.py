"""What an augmentation is to a training step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from tinycerb.errors import UsageError
from tinycerb.options import check_options
from tinycerb.registry import Registry

if TYPE_CHECKING:
    import tensorflow as tf


class Augmentation(ABC):
    """Changes training images as the world might, so that their labels stay true.

    Those that there are, are frozen dataclasses whose fields are options. They draw nothing themselves: a step hands in
    numbers that depend on seed, stage, epoch and step alone, so that a resumed training sees the same images.

    Attributes:
        data: what its images show, `pictures` or `spectrograms`.
        draws: how many random numbers it wants for each image.
    """

    data: ClassVar[str]
    draws: ClassVar[int]

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def reach(self) -> tuple[int, int]:
        """How many rows and columns it may hide or move by; an image must have more."""
        return 0, 0

    @abstractmethod
    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns changed images; runs inside the step's graph.

        Args:
            images: float32 [N, height, width, channels] in 0..1.
            uniform: float32 [N, draws] in 0..1.
        """


def sides(images: tf.Tensor) -> tuple[int, int, int]:
    """Returns height, width and channels, which a step knows while it is traced."""
    height, width, channels = (int(size or 0) for size in images.shape[1:])
    return height, width, channels


AUGMENTATIONS: Registry[type[Augmentation]] = Registry("augmentation")


def check_reach(chain: Sequence[Augmentation], image_shape: tuple[int, int, int]) -> None:
    """Checks that augmentations leave something of the images.

    Raises:
        UsageError: one hides or moves by as much as the image has, or more.
    """
    for each in chain:
        for reach, size, what in zip(each.reach, image_shape, ("rows", "columns"), strict=False):
            if reach >= size:
                raise UsageError(f"{type(each).__name__.lower()} reaches over {reach} {what}; allowed: 1 to {size - 1}")
