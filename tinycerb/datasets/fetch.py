"""Fetches a published data set: `python -m tinycerb.datasets.fetch cifar10`. It loads TensorFlow."""

import sys
from typing import Any

import numpy as np

from tinycerb.atomic import write_arrays
from tinycerb.datasets.fetched import FETCHED, FOLDER
from tinycerb.errors import EnvironmentProblem, ExitCode, TinyCerbError, UsageError, suggest

_TFDS_NAMES = {"svhn": "svhn_cropped"}


def fetch(name: str) -> None:
    """Downloads a data set and writes it where `load_fetched` looks for it.

    Raises:
        UsageError: unknown name.
        EnvironmentProblem: it cannot be downloaded.
    """
    if name not in FETCHED:
        raise UsageError(f"unknown data set {name!r}{suggest(name, FETCHED)}; known: {', '.join(FETCHED)}")
    (train_images, train_labels), (test_images, test_labels) = (
        _from_tfds(_TFDS_NAMES[name]) if name in _TFDS_NAMES else _from_keras(name)
    )
    content = {
        "train_images": _with_channels(train_images),
        "train_labels": np.ravel(train_labels).astype(np.int32),
        "test_images": _with_channels(test_images),
        "test_labels": np.ravel(test_labels).astype(np.int32),
    }
    write_arrays(FOLDER / f"{name}.npz", content)


def _from_keras(name: str) -> Any:
    from keras_models.legacy import keras

    try:
        return getattr(keras.datasets, name).load_data()
    except Exception as error:
        raise EnvironmentProblem(f"{name} could not be downloaded: {error}") from error


def _from_tfds(name: str) -> Any:
    try:
        import tensorflow_datasets as tfds  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise EnvironmentProblem(
            f"{name} is fetched by tensorflow-datasets ({error}); install it with: "
            ".venv/bin/pip install tensorflow-datasets 'numpy<2'"
        ) from error
    loaded = tfds.as_numpy(tfds.load(name, split=["train", "test"], batch_size=-1, as_supervised=True))
    return loaded[0], loaded[1]


def _with_channels(images: np.ndarray) -> np.ndarray:
    return images[..., np.newaxis] if images.ndim == 3 else images


if __name__ == "__main__":
    try:
        fetch(*sys.argv[1:2] or [""])
    except TinyCerbError as problem:
        sys.stderr.write(f"error: {problem}\n")
        sys.exit(problem.exit_code)
    sys.exit(ExitCode.OK)
