"""Fixed random networks whose labels a head imitates off the task."""

import numpy as np

_CHANNELS = (16, 32, 64)
_COMPONENTS = 8
# How sure the teachers are: their standardised logits are multiplied by it.
_SHARPNESS = 4.0
_BATCH = 1000


def random_teachers(images: np.ndarray, heads: int, classes: int, seed: int) -> np.ndarray:
    """Returns what independent random teachers say about images.

    Each is a random convolutional network with global average pooling: images that look alike get like answers, which
    a head can learn. Its features are whitened over the images (eight principal components), projected at random to
    the classes, standardised and sharpened.

    Args:
        images: uint8 [N, height, width, channels].
        heads: number of teachers.
        classes: number of classes.
        seed: the same seed gives the same teachers.

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
        whitened = centred @ directions[:_COMPONENTS].T / (sizes[:_COMPONENTS] / np.sqrt(len(images)) + 1e-9)
        logits = whitened @ rng.standard_normal((whitened.shape[1], classes))
        logits = _SHARPNESS * (logits - logits.mean(axis=0)) / (logits.std(axis=0) + 1e-9)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        answers.append((exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32))
    return np.stack(answers)


def _random_network(keras, shape: tuple[int, ...], rng: np.random.Generator):
    image = x = keras.layers.Input(shape)
    for channels in _CHANNELS:
        initialiser = keras.initializers.HeNormal(int(rng.integers(2**31)))
        x = keras.layers.Conv2D(channels, 3, 2, "same", activation="relu", kernel_initializer=initialiser)(x)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))
