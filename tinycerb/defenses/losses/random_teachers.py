"""Fixed random networks whose labels a head imitates off the task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tinycerb.keras_models.legacy import keras

_CHANNELS = (16, 32, 64)
_COMPONENTS = 8
# The least for teachers that must not tell what somebody else says: they give up to `classes - 1` directions up.
_MORE_COMPONENTS = 24
# How sure the teachers are: their standardised logits are multiplied by it.
_SHARPNESS = 4.0
_BATCH = 1000


@dataclass(frozen=True)
class Teacher:
    """A random convolutional network with global average pooling, and how its features are read.

    Images that look alike get like answers, which a head can learn.

    Attributes:
        network: images float [N, height, width, channels] in 0..1 to features [N, 64].
        reading: what makes posteriors of features.
    """

    network: keras.Model
    reading: Reading

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Returns posteriors, float32 [N, classes], for images, uint8 [N, height, width, channels]."""
        return self.reading(_features(self.network, images))


@dataclass(frozen=True)
class Reading:
    """Features, whitened over the images that it was fitted to, projected at random, standardised over them, sharpened.

    Attributes:
        centre: mean feature, float64 [F].
        directions: principal directions, float64 [K, F].
        sizes: standard deviations along them, float64 [K].
        left: combinations of the whitened components that are read, float64 [K, D], or None for all of them.
        projection: of the components to the classes, float64 [D, classes].
        mean: of the logits over the images, float64 [classes].
        deviation: their standard deviation, float64 [classes].
    """

    centre: np.ndarray
    directions: np.ndarray
    sizes: np.ndarray
    left: np.ndarray | None
    projection: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Returns posteriors, float32 [N, classes], for features, float64 [N, F]."""
        logits = _project(_whiten(features - self.centre, self.directions, self.sizes), self.left, self.projection)
        logits = _SHARPNESS * (logits - self.mean) / (self.deviation + 1e-9)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


def random_teachers(
    images: np.ndarray,
    heads: int,
    classes: int,
    seed: int,
    uncorrelated_with: np.ndarray | None = None,
    key_words: Sequence[int] = (),
) -> np.ndarray:
    """Returns what independent random teachers say about the images that they are fitted to.

    Args:
        images: uint8 [N, height, width, channels].
        heads: number of teachers.
        classes: number of classes.
        seed: the same seed and key give the same teachers.
        uncorrelated_with: posteriors, float [N, classes], which the teachers' features are not to be correlated with:
            of 24 whitened components (more for more than 17 classes) those directions are left out that a linear map
            could guess the posteriors from.
        key_words: of the owner key; without them whoever knows the seed knows the teachers.

    Returns:
        float32 [heads, N, classes], posteriors.
    """
    fitted = _fit(images, heads, classes, seed, uncorrelated_with, key_words)
    return np.stack([teacher.reading(features) for teacher, features in fitted])


def fit_teachers(
    images: np.ndarray,
    heads: int,
    classes: int,
    seed: int,
    uncorrelated_with: np.ndarray | None = None,
    key_words: Sequence[int] = (),
) -> list[Teacher]:
    """Returns the same teachers, which can then be asked about other images."""
    return [teacher for teacher, _ in _fit(images, heads, classes, seed, uncorrelated_with, key_words)]


def _fit(
    images: np.ndarray,
    heads: int,
    classes: int,
    seed: int,
    uncorrelated_with: np.ndarray | None,
    key_words: Sequence[int],
) -> Iterator[tuple[Teacher, np.ndarray]]:
    for head in range(heads):
        rng = np.random.default_rng([*key_words, seed, head, 7919])
        network = _random_network(images.shape[1:], rng)
        features = _features(network, images)
        yield Teacher(network, fit_reading(features, classes, rng, uncorrelated_with)), features


def fit_reading(
    features: np.ndarray, classes: int, rng: np.random.Generator, uncorrelated_with: np.ndarray | None
) -> Reading:
    """Fits how a teacher's features are read.

    Args:
        features: float64 [N, F].
        classes: number of classes.
        rng: draws the projection.
        uncorrelated_with: see `random_teachers`.
    """
    centre = features.mean(axis=0)
    _, sizes, directions = np.linalg.svd(features - centre, full_matrices=False)
    kept = _COMPONENTS if uncorrelated_with is None else max(_MORE_COMPONENTS, _COMPONENTS + classes - 1)
    directions, sizes = directions[:kept], sizes[:kept] / np.sqrt(len(features))
    whitened = _whiten(features - centre, directions, sizes)
    left = None if uncorrelated_with is None else uncorrelated(whitened, uncorrelated_with)
    projection = rng.standard_normal((whitened.shape[1] if left is None else left.shape[1], classes))
    logits = _project(whitened, left, projection)
    return Reading(centre, directions, sizes, left, projection, logits.mean(axis=0), logits.std(axis=0))


def _whiten(centred: np.ndarray, directions: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return centred @ directions.T / (sizes + 1e-9)


def _project(whitened: np.ndarray, left: np.ndarray | None, projection: np.ndarray) -> np.ndarray:
    return (whitened if left is None else whitened @ left) @ projection


def uncorrelated(features: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the combinations of whitened features that correlate with no column of `others`.

    Args:
        features: float [N, D], uncorrelated and of equal variance.
        others: float [N, K].

    Returns:
        float [D, D - rank], orthogonal columns; at least the eight that correlate least.
    """
    covariances = features.T @ (others - others.mean(axis=0)) / len(features)
    directions, sizes, _ = np.linalg.svd(covariances)
    rank = int((sizes > 1e-9 * max(sizes[0], 1e-30)).sum())
    return directions[:, max(0, min(rank, len(directions) - _COMPONENTS)) :]


def _features(network: keras.Model, images: np.ndarray) -> np.ndarray:
    starts = range(0, len(images), _BATCH)
    return np.concatenate(
        [network(images[at : at + _BATCH].astype(np.float32) / 255, training=False).numpy() for at in starts]
    ).astype(np.float64)


def _random_network(shape: tuple[int, ...], rng: np.random.Generator) -> keras.Model:
    from tinycerb.keras_models.legacy import keras

    image = x = keras.layers.Input(shape)
    for channels in _CHANNELS:
        initialiser: Any = keras.initializers.HeNormal(int(rng.integers(2**31)))
        x = keras.layers.Conv2D(channels, 3, 2, "same", activation="relu", kernel_initializer=initialiser)(x)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))
