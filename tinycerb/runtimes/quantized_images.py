"""Pixels to the bytes that a file takes."""

import numpy as np

from tinycerb.converters.model_file import ModelFile


def quantize_images(file: ModelFile, images: np.ndarray) -> np.ndarray:
    """Returns uint8 images (0..255 for 0..1) as the int8 that a file's input `image` wants."""
    image = file.inputs["image"]
    exact = images.astype(np.float64) / 255 / image.scales[0] + image.zero_points[0]
    return np.clip(np.rint(exact), -128, 127).astype(np.int8)
