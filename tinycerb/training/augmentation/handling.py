"""Augmentations of pictures by what devices do to them on the way: focus, and lossy files.

What was trained off the task on pictures from elsewhere may learn to tell their file format from that of the task, and
take its own pictures for foreign ones once they come as JPEG. Whatever happens to both kinds in training tells neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tinycerb.options import option
from tinycerb.training.augmentation.base import AUGMENTATIONS, Augmentation, sides

if TYPE_CHECKING:
    import tensorflow as tf

_BLOCK = 8
# ITU-T T.81, annex K: how coarsely each frequency of a block is stored at quality 50.
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
_CHROMINANCE = np.full((_BLOCK, _BLOCK), 99, np.float32)
_CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
# From red, green and blue to brightness and two differences of colour (ITU-T T.871).
_TO_COLOUR_DIFFERENCES = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)


@AUGMENTATIONS.register("focus")
@dataclass(frozen=True)
class Focus(Augmentation):
    """Images become softer or sharper, by a part of the neighbours of each pixel."""

    amount: float = option(0.15, "of each of four neighbours that is added or taken off, at most", 0, 0.25)

    data: ClassVar[str] = "pictures"
    draws: ClassVar[int] = 1

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns images within 0..1."""
        import tensorflow as tf

        part = (self.amount * (2 * uniform - 1))[:, :, tf.newaxis, tf.newaxis]
        for axis in (1, 2):
            size = sides(images)[axis - 1]
            before, after = (np.clip(np.arange(size) + step, 0, size - 1) for step in (-1, 1))
            beside = tf.gather(images, before, axis=axis) + tf.gather(images, after, axis=axis)
            images = images + part * (beside - 2 * images)
        return tf.clip_by_value(images, 0.0, 1.0)


@AUGMENTATIONS.register("jpeg")
@dataclass(frozen=True)
class Jpeg(Augmentation):
    """A share of the images loses what a JPEG file does not keep: fine structure, and most of all that of colours.

    Half of those are stored at twice their size and scaled down afterwards, as collections of photographs are.
    """

    share: float = option(0.5, "of the images", 0, 1)
    worst: int = option(30, "the lowest quality; the highest is 95", 1, 95)

    data: ClassVar[str] = "pictures"
    draws: ClassVar[int] = 3

    def __call__(self, images: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns images within 0..1; those whose first number is not below the share as they are."""
        import tensorflow as tf

        height, width, _ = sides(images)
        quality = self.worst + (95 - self.worst) * uniform[:, 1]
        is_lossy, is_large = uniform[:, 0] < self.share, uniform[:, 2] < 0.5
        # Only those that change are worked on: this is the dearest of all augmentations.
        for places, factor in ((tf.where(is_lossy & tf.logical_not(is_large)), 1), (tf.where(is_lossy & is_large), 2)):
            chosen = tf.ensure_shape(tf.gather_nd(images, places), (None, *images.shape[1:]))
            large = tf.image.resize(chosen, (factor * height, factor * width)) if factor > 1 else chosen
            back = stored(large, tf.gather_nd(quality, places))
            small = tf.nn.avg_pool2d(back, factor, factor, "VALID") if factor > 1 else back
            images = tf.tensor_scatter_nd_update(images, places, small)
        return images


def stored(images: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
    """Returns images as a JPEG file gives them back (ITU-T T.81), without the rounding of pixels.

    Three channels are red, green and blue, whose differences are stored at half the resolution; any other number of
    channels is stored as so many grey images.

    Args:
        images: float32 [N, height, width, channels] in 0..1.
        quality: float32 [N] in 1..100, on the scale of the Independent JPEG Group.
    """
    import tensorflow as tf

    height, width, channels = sides(images)
    padded = _padded(images * 255 - 128, 2 * _BLOCK)
    if channels != 3:
        back = _rounded(padded, _LUMINANCE, quality)
    else:
        parts = tf.einsum("nhwc,dc->nhwd", padded, _TO_COLOUR_DIFFERENCES)
        brightness = _rounded(parts[..., :1], _LUMINANCE, quality)
        halves = _rounded(tf.nn.avg_pool2d(parts[..., 1:], 2, 2, "VALID"), _CHROMINANCE, quality)
        differences = tf.repeat(tf.repeat(halves, 2, axis=1), 2, axis=2)
        inverse = np.linalg.inv(_TO_COLOUR_DIFFERENCES).astype(np.float32)
        back = tf.einsum("nhwc,dc->nhwd", tf.concat([brightness, differences], axis=3), inverse)
    return tf.clip_by_value((back[:, :height, :width] + 128) / 255, 0.0, 1.0)


def _padded(images: tf.Tensor, multiple: int) -> tf.Tensor:
    """Repeats the pixels at the far edges until both sides are a multiple."""
    import tensorflow as tf

    for axis, size in enumerate(sides(images)[:2], start=1):
        places = np.minimum(np.arange(-(-size // multiple) * multiple), size - 1)
        images = tf.gather(images, places, axis=axis)
    return images


def _rounded(images: tf.Tensor, table: np.ndarray, quality: tf.Tensor) -> tf.Tensor:
    """Rounds the cosine coefficients of every block to multiples of the table's steps."""
    import tensorflow as tf

    height, width, channels = sides(images)
    blocks = tf.reshape(images, (-1, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK, channels))
    coefficients = tf.einsum("uy,naybxc,vx->nabcuv", _COSINES, blocks, _COSINES)
    coarse = tf.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, tf.newaxis, tf.newaxis]
    steps = tf.clip_by_value(tf.floor((table * coarse + 50) / 100), 1.0, 255.0)
    steps = steps[:, tf.newaxis, tf.newaxis, tf.newaxis]
    back = tf.einsum("uy,nabcuv,vx->naybxc", _COSINES, tf.round(coefficients / steps) * steps, _COSINES)
    return tf.reshape(back, (-1, height, width, channels))


def _cosines() -> np.ndarray:
    """The orthonormal cosine transform of a block, float32 [frequency, place]."""
    frequency, place = np.arange(_BLOCK)[:, np.newaxis], np.arange(_BLOCK)[np.newaxis, :]
    basis = np.cos(np.pi * (2 * place + 1) * frequency / (2 * _BLOCK)) * np.sqrt(2 / _BLOCK)
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


_COSINES = _cosines()
