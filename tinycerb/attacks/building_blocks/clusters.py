"""Groups a pool's images by their looks: pools have no class labels."""

import warnings

import numpy as np

_DIMENSIONS = 32
_ROUNDS = 20


def cluster(images: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Groups images, halved in size, by k-means on their 32 strongest principal components.

    Args:
        images: uint8 [N, height, width, channels].
        count: how many groups at most; groups may come out empty.
        seed: of the first centres.

    Returns:
        The group of every image, int [N], in 0..count-1.
    """
    from scipy.cluster.vq import kmeans2

    rows = _halved(images).reshape(len(images), -1) / 255
    rows -= rows.mean(axis=0)
    _, directions = np.linalg.eigh(rows.T @ rows)
    points = (rows @ directions[:, -_DIMENSIONS:]).astype(np.float64)
    with warnings.catch_warnings():
        # An empty group is never drawn from.
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        _, groups = kmeans2(points, min(count, len(images)), _ROUNDS, minit="++", rng=np.random.default_rng(seed))
    return groups


def _halved(images: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels, float32; a last odd row or column is left out."""
    count, height, width, channels = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2].astype(np.float32)
    return even.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
