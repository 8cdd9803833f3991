"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009), from their official archives in binary form, which hold no code."""

import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.errors import EnvironmentProblem

_HOME = "https://www.cs.toronto.edu/~kriz"
_SIDE, _CHANNELS = 32, 3


@dataclass(frozen=True)
class CifarArchive:
    """One of the two archives.

    Attributes:
        url: where it is published.
        md5: of the archive, as published beside it.
        train: its files of training images, in order.
        test: that of test images.
        label_bytes: bytes before each image; the last one is the label.
    """

    url: str
    md5: str
    train: Sequence[str]
    test: str
    label_bytes: int


CIFAR_ARCHIVES: Mapping[str, CifarArchive] = {
    "cifar10": CifarArchive(
        f"{_HOME}/cifar-10-binary.tar.gz",
        "c32a1d4ab5d03f1284b67883e8d87530",
        [f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)],
        "cifar-10-batches-bin/test_batch.bin",
        label_bytes=1,
    ),
    # The coarse label stands before the fine one.
    "cifar100": CifarArchive(
        f"{_HOME}/cifar-100-binary.tar.gz",
        "03b5dce01913d631647c71ecec9e9cb8",
        ["cifar-100-binary/train.bin"],
        "cifar-100-binary/test.bin",
        label_bytes=2,
    ),
}


def read_cifar(path: Path, archive: CifarArchive) -> dict[str, np.ndarray]:
    """Reads an archive as it was downloaded.

    Returns:
        `train_images` and `test_images`, uint8 [N, 32, 32, 3], and `train_labels` and `test_labels`, int32 [N].

    Raises:
        EnvironmentProblem: it is missing or damaged.
    """
    try:
        with tarfile.open(path) as opened:
            train = np.concatenate([_records(opened, name, archive) for name in archive.train])
            test = _records(opened, archive.test, archive)
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError, zlib.error) as error:
        raise EnvironmentProblem(f"the archive {path} is missing or damaged: {error}") from error
    arrays = {}
    for part, records in (("train", train), ("test", test)):
        arrays[f"{part}_labels"] = records[:, archive.label_bytes - 1].astype(np.int32)
        planes = records[:, archive.label_bytes :].reshape(-1, _CHANNELS, _SIDE, _SIDE)
        arrays[f"{part}_images"] = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    return arrays


def _records(opened: tarfile.TarFile, name: str, archive: CifarArchive) -> np.ndarray:
    """Returns one file's images, each a row with its labels before it."""
    file = opened.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return np.frombuffer(file.read(), np.uint8).reshape(-1, archive.label_bytes + _CHANNELS * _SIDE * _SIDE)
