"""Fetches a published data set: `python -m tinycerb.datasets.fetch cifar10`. It loads TensorFlow."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinycerb.advice.install import install_command
from tinycerb.atomic import write_arrays
from tinycerb.datasets import tiny_imagenet
from tinycerb.datasets.cifar import CIFAR_ARCHIVES, read_cifar
from tinycerb.datasets.fetched import FETCHED, FOLDER
from tinycerb.datasets.gtsrb import download_gtsrb, read_gtsrb
from tinycerb.datasets.images import content_digest
from tinycerb.datasets.tiny_imagenet import read_tiny_imagenet
from tinycerb.errors import EnvironmentProblem, ExitCode, TinyCerbError, UsageError, suggest

# By name, as in a .npz file: images and labels of training and test, and groups where there are some.
_Arrays = dict[str, np.ndarray]
# The frames of each track that GTSRB-3 has.
_OF_GTSRB_3 = (0, 10, 20)


def fetch(name: str, frames: Sequence[int] = (), folder: Path = FOLDER) -> Path:
    """Downloads a data set and writes it where `load_fetched` looks for it.

    Args:
        name: a name of `FETCHED`.
        frames: of GTSRB, which frames of each track; those of GTSRB-3 make that one.
        folder: where it is put.

    Returns:
        The file.

    Raises:
        UsageError: unknown name, or frames of what has none.
        EnvironmentProblem: it cannot be downloaded, or the archive is not the published one.
    """
    if name not in FETCHED:
        raise UsageError(f"unknown data set {name!r}{suggest(name, FETCHED)}; known: {', '.join(FETCHED)}")
    if name == "gtsrb_3":
        name, frames = "gtsrb", _OF_GTSRB_3
    if frames and name != "gtsrb":
        raise UsageError(f"--frames is for gtsrb, whose training images are frames of tracks; {name} has none")
    arrays = _gtsrb(frames) if name == "gtsrb" else _SOURCES.get(name, _from_keras)(name)
    called = "gtsrb_3" if tuple(sorted(frames)) == _OF_GTSRB_3 else name
    path = folder / f"{called}.npz"
    write_arrays(path, arrays)
    return path


def _from_keras(name: str) -> _Arrays:
    from tinycerb.keras_models.legacy import keras

    try:
        train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:
        raise EnvironmentProblem(f"{name} could not be downloaded: {error}") from error
    return _as_arrays(train, test)


def _svhn(name: str) -> _Arrays:
    try:
        import tensorflow_datasets as tfds  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise EnvironmentProblem(
            f"{name} is fetched by tensorflow-datasets ({error}); install it with: "
            f"{install_command('tensorflow-datasets')}"
        ) from error
    train, test = tfds.as_numpy(
        tfds.load("svhn_cropped", split=["train", "test"], batch_size=-1, as_supervised=True)
    )  # fmt: skip
    return _as_arrays(train, test)


def _as_arrays(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> _Arrays:
    arrays = {}
    for part, (images, labels) in (("train", train), ("test", test)):
        arrays[f"{part}_images"] = images[..., np.newaxis] if images.ndim == 3 else images
        arrays[f"{part}_labels"] = np.ravel(labels).astype(np.int32)
    return arrays


def _gtsrb(frames: Sequence[int]) -> _Arrays:
    with TemporaryDirectory() as folder:
        try:
            download_gtsrb(Path(folder))
        except Exception as error:
            raise EnvironmentProblem(f"gtsrb could not be downloaded: {error}") from error
        return read_gtsrb(Path(folder), frames)


def _archive(read: Callable[[Path], _Arrays], url: str, md5: str, name: str) -> _Arrays:
    """Downloads one archive, compares it with its published digest, and reads it."""
    from tinycerb.keras_models.legacy import keras

    with TemporaryDirectory() as folder:
        file = url.rsplit("/", 1)[-1]
        try:
            keras.utils.get_file(file, url, cache_dir=folder, cache_subdir=".", file_hash=md5, hash_algorithm="md5")
        except Exception as error:
            raise EnvironmentProblem(f"{name} could not be downloaded: {error}") from error
        return read(Path(folder) / file)


_SOURCES: dict[str, Callable[[str], _Arrays]] = {
    "svhn": _svhn,
    "tiny_imagenet": partial(_archive, read_tiny_imagenet, tiny_imagenet.URL, tiny_imagenet.MD5),
    **{
        name: partial(_archive, partial(read_cifar, archive=archive), archive.url, archive.md5)
        for name, archive in CIFAR_ARCHIVES.items()
    },
}


def main(words: Sequence[str]) -> None:
    """Does what a command line says, and says what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tinycerb.datasets.fetch", description=__doc__)
    parser.add_argument("name", help=f"one of {', '.join(FETCHED)}")
    parser.add_argument("--frames", default="", help="of gtsrb: frames of each track, such as 0,10,20 (GTSRB-3)")
    wanted = parser.parse_args(words)
    try:
        frames = [int(frame) for frame in wanted.frames.split(",") if frame]
    except ValueError as error:
        raise UsageError(f"--frames is {wanted.frames!r}; allowed: numbers from 0, such as 0,10,20") from error
    path = fetch(wanted.name, frames)
    with np.load(path, allow_pickle=False) as arrays:
        counts = f"{len(arrays['train_labels']):,} + {len(arrays['test_labels']):,} images"
        sys.stdout.write(f"{path}: {counts}, content {content_digest(arrays)}\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except TinyCerbError as problem:
        sys.stderr.write(f"error: {problem}\n")
        sys.exit(problem.exit_code)
    sys.exit(ExitCode.OK)
