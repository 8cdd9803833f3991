"""Data of the user's to measure a model with that is there already: it says which shape and how many classes fit."""

from dataclasses import dataclass

import numpy as np

from tinycerb.datasets.arrays import as_labels, as_pixels, check_class_names
from tinycerb.datasets.brought import describe_arrays
from tinycerb.datasets.user_data import class_names_of, own_names, read_source
from tinycerb.errors import UsageError

# What others are trained with is no loss here.
_FOR_TRAINING = ("train_images", "train_labels", "train_groups", "test_groups", "groups")


@dataclass(frozen=True)
class Measured:
    """Images to measure a model with.

    Attributes:
        images: uint8 [N, *shape of the model's input].
        labels: int32 [N], or None where there are none.
        class_names: as many as classes, or none.
        left_out: what the source holds beside them, one phrase with a count each.
    """

    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def open_for_measuring(source: str, shape: tuple[int, ...], classes: int) -> Measured:
    """Loads the test part of what `open_user_data` takes, or all of it where it has no parts; labels may be missing.

    Args:
        source: a path or a reference.
        shape: of one image, as the model takes it.
        classes: how many the model tells apart.

    Raises:
        UsageError: what is there does not fit; the message says what would.
        EnvironmentProblem: it is missing or corrupt.
    """
    brought = read_source(source, labelled=True)
    called = own_names(brought.arrays, source)
    part = "test_" if "test_images" in called else ""
    if f"{part}images" not in called:
        held = ", ".join(sorted(brought.arrays)) or "nothing"
        raise UsageError(f"{source} holds {held}; allowed: images or test_images, and labels for the gate")
    images = _fitting(brought.arrays[called[f"{part}images"]], shape, f"{called[f'{part}images']} of {source}")
    names = class_names_of(brought.arrays, source)
    check_class_names(names)
    if names and len(names) != classes:
        raise UsageError(f"class_names of {source} has {len(names)} names; the model tells {classes} classes apart")
    labels = None
    if f"{part}labels" in called:
        own = called[f"{part}labels"]
        labels = as_labels(brought.arrays[own], len(images), classes, f"{own} of {source}")
    known = {called[key] for key in (f"{part}images", f"{part}labels", "class_names", *_FOR_TRAINING) if key in called}
    return Measured(images, labels, names, (*brought.left_out, *describe_arrays(brought.arrays, frozenset(known))))


def _fitting(array: np.ndarray, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Grey images may come without the last axis, as everywhere."""
    images = as_pixels(array, where)
    if (*images.shape[1:], 1) == shape:
        images = images[..., np.newaxis]
    if images.shape[1:] != shape or len(images) == 0:
        raise UsageError(f"{where} has shape {array.shape}; allowed: (N, {', '.join(map(str, shape))})")
    return images
