"""Augmentations of pictures: a camera that stands elsewhere, other light, something in the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tinycerb.options import option
from tinycerb.training.augmentation.base import AUGMENTATIONS, Augmentation, sides

if TYPE_CHECKING:
    import tensorflow as tf


@AUGMENTATIONS.register("flip")
@dataclass(frozen=True)
class Flip(Augmentation):
    """Half of the images are mirrored, left for right. Not for signs, letters or digits."""

    data: ClassVar[str] = "pictures"
    draws: ClassVar[int] = 1

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns the images, those with a number below 0.5 mirrored."""
        import tensorflow as tf

        return tf.where(uniform[:, :, tf.newaxis, tf.newaxis] < 0.5, tf.reverse(images, [2]), images)


@AUGMENTATIONS.register("shift")
@dataclass(frozen=True)
class Shift(Augmentation):
    """Images move by up to so many pixels each way: a crop of the padded image, at a place that is drawn."""

    pixels: int = option(4, "how far, at most", 1, 64)
    padding: str = option(
        "zero", "what comes in at the edge: black, or the edge's pixels again", choices=("zero", "edge")
    )

    data: ClassVar[str] = "pictures"
    draws: ClassVar[int] = 2

    @property
    def reach(self) -> tuple[int, int]:
        """How far it goes, each way."""
        return self.pixels, self.pixels

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns images of the same size, each at a whole number of pixels from where it was."""
        import tensorflow as tf

        steps = tf.cast(tf.floor(uniform * (2 * self.pixels + 1)), tf.int32) - self.pixels
        for axis in (1, 2):
            size = sides(images)[axis - 1]
            places = tf.range(size)[tf.newaxis] + steps[:, axis - 1 : axis]
            images = tf.gather(images, tf.clip_by_value(places, 0, size - 1), axis=axis, batch_dims=1)
            if self.padding == "zero":
                inside = tf.cast((places >= 0) & (places < size), tf.float32)
                images *= inside[:, :, tf.newaxis, tf.newaxis] if axis == 1 else inside[:, tf.newaxis, :, tf.newaxis]
        return images


@AUGMENTATIONS.register("affine")
@dataclass(frozen=True)
class Affine(Augmentation):
    """Images are turned and zoomed about their centre; what comes in at the edge is its nearest pixel."""

    degrees: float = option(10.0, "how far they turn each way, at most", 0, 180)
    zoom: float = option(0.1, "how much larger or smaller they become, at most", 0, below=1)

    data: ClassVar[str] = "pictures"
    draws: ClassVar[int] = 2

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns images of the same size, bilinear between pixels."""
        import tensorflow as tf

        height, width, _ = sides(images)
        between = 2 * uniform - 1
        angle, scale = between[:, 0] * math.radians(self.degrees), 1 + between[:, 1] * self.zoom
        # From each pixel of the result to where it is read.
        cosine, sine = tf.cos(angle) / scale, tf.sin(angle) / scale
        x, y = (width - 1) / 2, (height - 1) / 2
        nothing = tf.zeros_like(angle)
        rows = [cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y, nothing, nothing]
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=tf.stack(rows, axis=1),
            output_shape=tf.constant([height, width]),
            fill_value=tf.constant(0.0),
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )


@AUGMENTATIONS.register("cutout")
@dataclass(frozen=True)
class Cutout(Augmentation):
    """A grey square covers a part of each image, less of it at the edge (DeVries and Taylor, 2017)."""

    size: int = option(8, "pixels of the square's side", 1, 256)

    data: ClassVar[str] = "pictures"
    draws: ClassVar[int] = 2

    @property
    def reach(self) -> tuple[int, int]:
        """How far it goes, each way."""
        return self.size, self.size

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns the images, each with a square of 0.5 around a pixel that is drawn."""
        import tensorflow as tf

        covered = []
        for axis in (1, 2):
            size = sides(images)[axis - 1]
            first = tf.floor(uniform[:, axis - 1 : axis] * size) - self.size // 2
            places = tf.range(size, dtype=tf.float32)[tf.newaxis]
            covered.append((places >= first) & (places < first + self.size))
        square = covered[0][:, :, tf.newaxis] & covered[1][:, tf.newaxis, :]
        return tf.where(square[..., tf.newaxis], 0.5, images)


@AUGMENTATIONS.register("brightness")
@dataclass(frozen=True)
class Brightness(Augmentation):
    """Images become lighter or darker, and their contrast higher or lower."""

    amount: float = option(0.2, "what is added to all pixels of 0..1, at most", 0, 1)
    contrast: float = option(0.2, "how much differences to the image's mean grow or shrink, at most", 0, 1)

    data: ClassVar[str] = "pictures"
    draws: ClassVar[int] = 2

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns images within 0..1."""
        import tensorflow as tf

        between = (2 * uniform - 1)[:, :, tf.newaxis, tf.newaxis, tf.newaxis]
        mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
        changed = mean + (images - mean) * (1 + self.contrast * between[:, 1]) + self.amount * between[:, 0]
        return tf.clip_by_value(changed, 0.0, 1.0)


@AUGMENTATIONS.register("colour")
@dataclass(frozen=True)
class Colour(Augmentation):
    """Each channel becomes stronger or weaker for itself, as under lamps of another colour."""

    amount: float = option(0.1, "how much each channel grows or shrinks, at most", 0, 1)

    data: ClassVar[str] = "pictures"
    # As many as images may have channels.
    draws: ClassVar[int] = 16

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns images within 0..1."""
        import tensorflow as tf

        gains = 1 + self.amount * (2 * uniform[:, : sides(images)[2]] - 1)
        return tf.clip_by_value(images * gains[:, tf.newaxis, tf.newaxis], 0.0, 1.0)
