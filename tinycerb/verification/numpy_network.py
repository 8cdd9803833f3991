"""A random teacher's network without TensorFlow: the same features, so that a verification needs none."""

from collections.abc import Sequence

import numpy as np

# Keras' He initialiser draws from a normal distribution that is cut at two deviations; this makes its variance whole.
_CUT_DEVIATION = 0.87962566103423978
_BATCH = 500


def features(images: np.ndarray, weights: Sequence[np.ndarray]) -> np.ndarray:
    """Returns what the network says of images before its answers are read.

    Args:
        images: uint8 [N, height, width, channels].
        weights: per layer a kernel, float32 [3, 3, inputs, outputs], and a bias; strides of two, padded as by
            TensorFlow's SAME, rectified; then the mean over the image.

    Returns:
        float64 [N, outputs of the last layer].
    """
    starts = range(0, len(images), _BATCH)
    return np.concatenate([_features(images[at : at + _BATCH], weights) for at in starts])


def _features(images: np.ndarray, weights: Sequence[np.ndarray]) -> np.ndarray:
    x = images.astype(np.float32) / np.float32(255)
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        x = np.maximum(_convolve(x, kernel) + bias, 0)
    return x.mean(axis=(1, 2)).astype(np.float64)


def _convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    count, height, width, channels = x.shape
    rows, columns = -(-height // 2), -(-width // 2)
    down, right = max(2 * rows + 1 - height, 0), max(2 * columns + 1 - width, 0)
    padded = np.pad(x, ((0, 0), (down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0)))
    # Window by window of all channels: NumPy's types know windows over whole arrays alone.
    windows = np.lib.stride_tricks.sliding_window_view(padded, (1, 3, 3, channels))[:, ::2, ::2, 0, 0]
    patches = windows.reshape(count, rows, columns, 9 * channels)
    return patches @ kernel.reshape(9 * channels, -1)


def random_weights(shapes: Sequence[tuple[int, ...]], rng: np.random.Generator) -> list[np.ndarray]:
    """Draws weights as Keras' HeNormal would, biases zero; float32 of the given shapes."""
    weights = []
    for shape in shapes:
        if len(shape) == 1:
            weights.append(np.zeros(shape, np.float32))
            continue
        drawn = rng.standard_normal(shape)
        while (outside := np.abs(drawn) > 2).any():
            drawn[outside] = rng.standard_normal(int(outside.sum()))
        weights.append((drawn * np.sqrt(2 / np.prod(shape[:-1])) / _CUT_DEVIATION).astype(np.float32))
    return weights
