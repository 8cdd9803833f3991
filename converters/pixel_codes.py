"""Pixels to the int8 that a model takes: the one rule behind host, `model.h`, cards and metadata.

A pixel p of 0..255 stands for p / 255. Its code is round(p / 255 / scale + zero point), halves to even, within int8:
p - 128 where the input's scale is 1/255 and its zero point -128, and a table of 256 bytes elsewhere.
"""

import numpy as np

from tinycerb.converters.model_file import Tensor


def quantize_pixels(image: Tensor, pixels: np.ndarray) -> np.ndarray:
    """Returns the codes of pixels.

    Args:
        image: the model's input.
        pixels: 0..255 for 0..1, any shape.

    Returns:
        int8, as many.
    """
    exact = pixels.astype(np.float64) / 255 / image.scales[0] + image.zero_points[0]
    return np.clip(np.rint(exact), -128, 127).astype(np.int8)


def pixel_codes(image: Tensor) -> np.ndarray:
    """Returns the code of every pixel 0..255: int8 [256]."""
    return quantize_pixels(image, np.arange(256))


def is_plain(codes: np.ndarray) -> bool:
    """Whether all 256 codes are their pixel less 128, so that a device need neither scale nor look up."""
    return bool((codes == np.arange(-128, 128)).all())


def image_range(image: Tensor) -> list[float]:
    """Returns the real values that the ends of int8 stand for."""
    scale, zero_point = image.scales[0], image.zero_points[0]
    # A scale of 1/255 as float32 makes 255 steps of it 1.00000006.
    return [round((code - zero_point) * scale, 6) + 0.0 for code in (-128, 127)]
