"""Whether a victim still knows its own images as devices hand them over: stored as JPEG, softer, sharper, darker.

A defence that trains off the task on pictures from elsewhere may have learned how those were stored instead of what
they show. Figures of stealing then flatter it, and its own user's images are misdirected once they come the same way.
What any network loses to such handling, the undefended one loses, too: the difference tells.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from tinycerb.datasets.images import LabelledImages

# A standard error of about a point and a half, and a second's work.
_HANDLED_IMAGES = 1000
# Blocks of a JPEG file have eight pixels: smaller inputs are no pictures.
_FEWEST_PIXELS = 16


def _as_jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    def handle(picture: Image.Image) -> Image.Image:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return handle


# By what a report calls it.
HANDLINGS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG of quality 90": _as_jpeg(90),
    "JPEG of quality 60": _as_jpeg(60),
    "a softer focus": lambda picture: picture.filter(ImageFilter.GaussianBlur(0.5)),
    "sharpening": lambda picture: picture.filter(ImageFilter.UnsharpMask(1, 60, 0)),
    "less light": lambda picture: ImageEnhance.Brightness(picture).enhance(0.8),
}


def measure_handling(labelled: Callable[[np.ndarray], np.ndarray], test: LabelledImages) -> dict[str, float]:
    """Returns the accuracy on own images after each handling, as a share; under "nothing" that on the same as they are.

    Args:
        labelled: the victim, as `accuracy.labels_of`; of several heads, the mean of their accuracies counts.
        test: its test images, of which 1,000 are taken.

    Returns:
        Empty where images are no pictures of one or three channels, at least 16 pixels wide and high.
    """
    height, width, channels = test.images.shape[1:]
    if channels not in (1, 3) or min(height, width) < _FEWEST_PIXELS:
        return {}
    chosen = np.random.default_rng(820_000).permutation(len(test.images))[:_HANDLED_IMAGES]
    images, labels = test.images[chosen], test.labels[chosen]
    pictures = [Image.fromarray(image[..., 0] if channels == 1 else image) for image in images]
    found = {"nothing": _accuracy(labelled(images), labels)}
    for name, handle in HANDLINGS.items():
        handled = np.stack([np.asarray(handle(picture)) for picture in pictures]).reshape(images.shape)
        found[name] = _accuracy(labelled(handled), labels)
    return found


def _accuracy(found: np.ndarray, labels: np.ndarray) -> float:
    return round(float((found == labels[:, np.newaxis]).mean()), 4)
