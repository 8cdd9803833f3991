"""What the rest of the toolkit knows of a data set: arrays, names and a digest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

# Fingerprints of the defender's own images, in a victim's folder.


@dataclass(frozen=True)
class LabelledImages:
    """Images with their labels.

    Attributes:
        images: uint8 [N, height, width, channels].
        labels: int32 [N], 0 to classes - 1.
        groups: int32 [N], what images belong together, such as frames of a track; None where nobody has said.
    """

    images: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None

    def take(self, count: int) -> "LabelledImages":
        """Returns the first `count` images, or all of them for 0."""
        return self if count == 0 else self.chosen(slice(count))

    def chosen(self, which: np.ndarray | slice) -> "LabelledImages":
        """Returns some of the images: a slice of them, those of some places, or those where a mask says so."""
        groups = None if self.groups is None else self.groups[which]
        return LabelledImages(self.images[which], self.labels[which], groups)


@dataclass(frozen=True)
class Dataset:
    """A classification data set, split once and for all.

    Attributes:
        name: its registered name.
        source: where it was read from.
        class_names: one name per class.
        train: what victims learn from.
        validation: held out from training; choices are made here, never on `test`.
        test: touched by the final measurements only.
        split: how validation images were chosen: `random`, or `grouped`, which never parts what belongs together.
    """

    name: str
    source: str
    class_names: tuple[str, ...]
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    split: str = field(default="random", kw_only=True)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one image."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all images and labels."""
        parts = (self.train, self.validation, self.test)
        return digest_arrays(*(array for part in parts for array in (part.images, part.labels)))


def digest_arrays(*arrays: np.ndarray) -> str:
    """Returns a SHA-256 over shapes, dtypes and bytes."""
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(f"{array.shape}{array.dtype.str}".encode())
        sha256.update(np.ascontiguousarray(array).data)
    return sha256.hexdigest()


def image_fingerprints(images: np.ndarray) -> np.ndarray:
    """Returns one 64-bit content hash per image, uint64 [N], to find images that two sets share."""
    return np.array(
        [int.from_bytes(hashlib.blake2b(image.tobytes(), digest_size=8).digest(), "little") for image in images],
        dtype=np.uint64,
    )


def content_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Returns a digest of labelled images that does not depend on their order, 16 hexadecimal digits.

    Args:
        arrays: `train_images`, `train_labels`, `test_images` and `test_labels`.
    """
    sha256 = hashlib.sha256()
    for part in ("train", "test"):
        labels = arrays[f"{part}_labels"].astype(np.uint64)
        sha256.update(np.sort(image_fingerprints(arrays[f"{part}_images"]) ^ (labels << np.uint64(52))).tobytes())
    return sha256.hexdigest()[:16]
