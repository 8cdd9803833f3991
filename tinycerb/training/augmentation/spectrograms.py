"""Augmentations of spectrograms [time, frequency, channels] (Park et al., "SpecAugment", Interspeech 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tinycerb.options import option
from tinycerb.training.augmentation.base import AUGMENTATIONS, Augmentation, sides

if TYPE_CHECKING:
    import tensorflow as tf


@AUGMENTATIONS.register("time_shift")
@dataclass(frozen=True)
class TimeShift(Augmentation):
    """The sound begins up to so many frames earlier or later; the first or last frame fills what is left."""

    frames: int = option(5, "how far, at most", 1, 1000)

    data: ClassVar[str] = "spectrograms"
    draws: ClassVar[int] = 1

    @property
    def reach(self) -> tuple[int, int]:
        """How far it goes, each way."""
        return self.frames, 0

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns spectrograms of the same length."""
        import tensorflow as tf

        steps = tf.cast(tf.floor(uniform * (2 * self.frames + 1)), tf.int32) - self.frames
        length, _, _ = sides(images)
        places = tf.range(length)[tf.newaxis] + steps
        return tf.gather(images, tf.clip_by_value(places, 0, length - 1), axis=1, batch_dims=1)


@AUGMENTATIONS.register("time_mask")
@dataclass(frozen=True)
class TimeMask(Augmentation):
    """A stretch of up to so many frames says nothing: it has the spectrogram's mean."""

    frames: int = option(5, "its length, at most", 1, 1000)

    data: ClassVar[str] = "spectrograms"
    draws: ClassVar[int] = 2

    @property
    def reach(self) -> tuple[int, int]:
        """How far it goes, each way."""
        return self.frames, 0

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns spectrograms with a stretch of 0 to `frames` frames masked."""
        return _masked(images, uniform, self.frames, axis=1)


@AUGMENTATIONS.register("frequency_mask")
@dataclass(frozen=True)
class FrequencyMask(Augmentation):
    """A band of up to so many frequency bins says nothing: it has the spectrogram's mean."""

    bins: int = option(2, "its width, at most", 1, 1000)

    data: ClassVar[str] = "spectrograms"
    draws: ClassVar[int] = 2

    @property
    def reach(self) -> tuple[int, int]:
        """How far it goes, each way."""
        return 0, self.bins

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns spectrograms with a band of 0 to `bins` bins masked."""
        return _masked(images, uniform, self.bins, axis=2)


def _masked(images: tf.Tensor, uniform: tf.Tensor, most: int, axis: int) -> tf.Tensor:
    import tensorflow as tf

    size = sides(images)[axis - 1]
    length = tf.floor(uniform[:, :1] * (most + 1))
    first = tf.floor(uniform[:, 1:] * (size - length + 1))
    places = tf.range(size, dtype=tf.float32)[tf.newaxis]
    inside = (places >= first) & (places < first + length)
    inside = inside[:, :, tf.newaxis, tf.newaxis] if axis == 1 else inside[:, tf.newaxis, :, tf.newaxis]
    return tf.where(inside, tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True), images)
