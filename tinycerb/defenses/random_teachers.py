"""Fixed random networks whose labels a head imitates off the task."""

import numpy as np

_CHANNELS = (16, 32, 64)
_COMPONENTS = 8
# The least for teachers that must not tell what somebody else says: they give up to `classes - 1` directions up.
_MORE_COMPONENTS = 24
# How sure the teachers are: their standardised logits are multiplied by it.
_SHARPNESS = 4.0
_BATCH = 1000


def random_teachers(
    images: np.ndarray, heads: int, classes: int, seed: int, apart_from: np.ndarray | None = None
) -> np.ndarray:
    """Returns what independent random teachers say about images.

    Each is a random convolutional network with global average pooling: images that look alike get like answers, which
    a head can learn. Its features are whitened over the images (eight principal components), projected at random to
    the classes, standardised and sharpened.

    Args:
        images: uint8 [N, height, width, channels].
        heads: number of teachers.
        classes: number of classes.
        seed: the same seed gives the same teachers.
        apart_from: posteriors, float [N, classes], which the teachers' features are not to be correlated with: of 24
            whitened components (more for more than 17 classes) those directions are left out that a linear map could
            guess the posteriors from.

    Returns:
        float32 [heads, N, classes], posteriors.
    """
    from keras_models.legacy import keras

    answers = []
    for head in range(heads):
        rng = np.random.default_rng([seed, head, 7919])
        network = _random_network(keras, images.shape[1:], rng)
        starts = range(0, len(images), _BATCH)
        features = np.concatenate(
            [network(images[at : at + _BATCH].astype(np.float32) / 255, training=False).numpy() for at in starts]
        ).astype(np.float64)
        centred = features - features.mean(axis=0)
        _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
        kept = _COMPONENTS if apart_from is None else max(_MORE_COMPONENTS, _COMPONENTS + classes - 1)
        whitened = centred @ directions[:kept].T / (sizes[:kept] / np.sqrt(len(images)) + 1e-9)
        if apart_from is not None:
            whitened = uncorrelated(whitened, apart_from)
        logits = whitened @ rng.standard_normal((whitened.shape[1], classes))
        logits = _SHARPNESS * (logits - logits.mean(axis=0)) / (logits.std(axis=0) + 1e-9)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        answers.append((exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32))
    return np.stack(answers)


def uncorrelated(features: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the part of whitened features that correlates with no column of `others`.

    Args:
        features: float [N, D], uncorrelated and of equal variance.
        others: float [N, K].

    Returns:
        float [N, D - rank], orthogonal combinations of the features; at least the eight that correlate least.
    """
    covariances = features.T @ (others - others.mean(axis=0)) / len(features)
    directions, sizes, _ = np.linalg.svd(covariances)
    rank = int((sizes > 1e-9 * max(sizes[0], 1e-30)).sum())
    return features @ directions[:, max(0, min(rank, len(directions) - _COMPONENTS)) :]


def _random_network(keras, shape: tuple[int, ...], rng: np.random.Generator):
    image = x = keras.layers.Input(shape)
    for channels in _CHANNELS:
        initialiser = keras.initializers.HeNormal(int(rng.integers(2**31)))
        x = keras.layers.Conv2D(channels, 3, 2, "same", activation="relu", kernel_initializer=initialiser)(x)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))
