"""Fetches a published data set: `python -m tinycerb.datasets.fetch cifar10`. It loads TensorFlow."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinycerb.advice.install import install_command
from tinycerb.atomic import write_arrays
from tinycerb.datasets.fetched import FETCHED, FOLDER
from tinycerb.datasets.gtsrb import download_gtsrb, read_gtsrb
from tinycerb.errors import EnvironmentProblem, ExitCode, TinyCerbError, UsageError, suggest

# Training images and labels, test images and labels.
_Splits = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def fetch(name: str) -> None:
    """Downloads a data set and writes it where `load_fetched` looks for it.

    Raises:
        UsageError: unknown name.
        EnvironmentProblem: it cannot be downloaded.
    """
    if name not in FETCHED:
        raise UsageError(f"unknown data set {name!r}{suggest(name, FETCHED)}; known: {', '.join(FETCHED)}")
    source = _SOURCES.get(name, _from_keras)
    (train_images, train_labels), (test_images, test_labels) = source(name)
    content = {
        "train_images": _with_channels(train_images),
        "train_labels": np.ravel(train_labels).astype(np.int32),
        "test_images": _with_channels(test_images),
        "test_labels": np.ravel(test_labels).astype(np.int32),
    }
    write_arrays(FOLDER / f"{name}.npz", content)


def _from_keras(name: str) -> _Splits:
    from tinycerb.keras_models.legacy import keras

    try:
        return getattr(keras.datasets, name).load_data()
    except Exception as error:
        raise EnvironmentProblem(f"{name} could not be downloaded: {error}") from error


def _svhn(name: str) -> _Splits:
    try:
        import tensorflow_datasets as tfds  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise EnvironmentProblem(
            f"{name} is fetched by tensorflow-datasets ({error}); install it with: "
            f"{install_command('tensorflow-datasets')}"
        ) from error
    loaded = tfds.as_numpy(tfds.load("svhn_cropped", split=["train", "test"], batch_size=-1, as_supervised=True))
    return loaded[0], loaded[1]


def _gtsrb(name: str) -> _Splits:
    with TemporaryDirectory() as folder:
        try:
            download_gtsrb(Path(folder))
        except Exception as error:
            raise EnvironmentProblem(f"{name} could not be downloaded: {error}") from error
        return read_gtsrb(Path(folder))


_SOURCES = {"svhn": _svhn, "gtsrb": _gtsrb}


def _with_channels(images: np.ndarray) -> np.ndarray:
    return images[..., np.newaxis] if images.ndim == 3 else images


if __name__ == "__main__":
    try:
        fetch(*sys.argv[1:2] or [""])
    except TinyCerbError as problem:
        sys.stderr.write(f"error: {problem}\n")
        sys.exit(problem.exit_code)
    sys.exit(ExitCode.OK)
