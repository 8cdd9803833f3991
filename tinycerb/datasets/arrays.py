"""Checks of images and labels that a user brings along: every error names what is wrong and the way out."""

import unicodedata
from collections.abc import Sequence

import numpy as np

from tinycerb.datasets.images import LabelledImages
from tinycerb.datasets.remedies import describe_classes, describe_layout, describe_pixels, renumber
from tinycerb.errors import UsageError

# Fewer measure nothing: one image would be 2 points of accuracy or more.
FEWEST_TRAIN = 50
FEWEST_TEST = 10
_SMALLEST_SIDE = 8
_MOST_CHANNELS = 16
# Of a class's name, and what no name has in it: control characters, halves of surrogates, ends of lines and paragraphs.
_MOST_CHARACTERS = 100
_NO_TEXT = frozenset(("Cc", "Cs", "Zl", "Zp"))


def as_pixels(array: np.ndarray, where: str) -> np.ndarray:
    """Returns images of any shape, uint8 as they must be.

    Raises:
        UsageError: another dtype; the message says how this array becomes one that fits.
    """
    if array.dtype != np.uint8:
        about = describe_pixels(array, where.partition(" ")[0])
        raise UsageError(f"{where} has dtype {array.dtype}{about}; allowed: uint8, 0 to 255")
    return array


def as_images(array: np.ndarray, where: str) -> np.ndarray:
    """Returns images as uint8 [N, height, width, channels]; grey ones may come without the last axis.

    Args:
        array: the images.
        where: what to call the array in messages, its own name first: `images of shapes.npz`.

    Raises:
        UsageError: another dtype or shape, or no image at all; the message says how this array becomes one that fits.
    """
    name = where.partition(" ")[0]
    array = as_pixels(array, where)
    images = array[..., np.newaxis] if array.ndim == 3 else array
    layout = describe_layout(array.shape, name, _SMALLEST_SIDE, _MOST_CHANNELS)
    if images.ndim != 4:
        raise UsageError(
            f"{where} has shape {array.shape}; allowed: [images, height, width, channels] or [images, height, width]"
            f"{layout}"
        )
    count, height, width, channels = images.shape
    if count == 0:
        raise UsageError(f"{where} has no images; give at least {FEWEST_TRAIN} to train with")
    if min(height, width) < _SMALLEST_SIDE or not 1 <= channels <= _MOST_CHANNELS:
        raise UsageError(
            f"{where} has images of {height}x{width}x{channels} (height x width x channels); allowed: sides of "
            f"{_SMALLEST_SIDE} or more, 1 to {_MOST_CHANNELS} channels in the last axis{layout}"
        )
    return np.ascontiguousarray(images)


def as_labels(array: np.ndarray, count: int, classes: int, where: str) -> np.ndarray:
    """Returns labels as int32 [N].

    Args:
        array: integers [N] or [N, 1].
        count: how many images there are.
        classes: number of classes, 0 for not known yet: then there are at most as many as images.
        where: what to call the array in messages, its own name first.

    Raises:
        UsageError: another dtype, shape or count, or a label out of range; the message says how this array becomes one
            that fits.
    """
    name = where.partition(" ")[0]
    labels = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    about = describe_classes(labels, name)
    if labels.ndim != 1:
        raise UsageError(f"{where} has shape {array.shape}{about}; allowed: [{count}], the class of each image")
    if labels.dtype.kind not in "iu":
        raise UsageError(f"{where} has dtype {array.dtype}{about}; allowed: integers, the class of each image")
    if len(labels) != count:
        raise UsageError(f"{where} has {len(labels)} labels for {count} images; allowed: one per image")
    # In their own type: a narrower one would wrap what is out of range into it.
    _check_range(int(labels.min()), int(labels.max()), count, classes, where)
    return labels.astype(np.int32)


def _check_range(low: int, high: int, images: int, classes: int, where: str) -> None:
    name = where.partition(" ")[0]
    if low < 0 or high >= (classes or images):
        wrong = low if low < 0 else high
        if low == 1 and high == classes:
            remedy = f"; they begin at 1: take {name} - 1"
        else:
            remedy = f"; number the classes that there are: {renumber(name)}"
        most = str(classes - 1) if classes else f"classes - 1, at least one of the {images} images in each class"
        raise UsageError(f"{where} holds the label {wrong}; allowed: 0 to {most}{remedy}")
    if low == 1 and not classes:
        raise UsageError(
            f"{where} holds the labels 1 to {high}, and no image is of class 0; allowed: 0 to classes - 1; take "
            f"{name} - 1, in all parts"
        )


def check_class_names(names: Sequence[str]) -> None:
    """Checks that names of classes can stand in files, tables and on pages.

    Raises:
        UsageError: one is empty or too long, or has control characters or halves of characters in it.
    """
    for index, name in enumerate(names):
        if not 0 < len(name) <= _MOST_CHARACTERS:
            told = f"the name of class {index} has {len(name):,} characters ({name[:30]!r})"
            raise UsageError(f"{told}; allowed: 1 to {_MOST_CHARACTERS}")
        if any(unicodedata.category(character) in _NO_TEXT for character in name):
            raise UsageError(f"the name of class {index} is {name!r}; allowed: one line of text, in any script")


def check_classes(class_names: tuple[str, ...], train: LabelledImages, test: LabelledImages) -> None:
    """Checks that there is something to learn and to measure for every class.

    Raises:
        UsageError: one class only, a name that is no name, too few images, or a class without any.
    """
    check_class_names(class_names)
    if len(class_names) < 2:
        raise UsageError(f"the data have one class ({', '.join(class_names)}); allowed: 2 or more")
    for kind, part, fewest in (("training", train, FEWEST_TRAIN), ("test", test, FEWEST_TEST)):
        if len(part.images) < fewest:
            raise UsageError(f"the data have {len(part.images)} {kind} images; allowed: {fewest} or more")
        counts = np.bincount(part.labels, minlength=len(class_names))
        empty = [f"{name!r} ({index})" for index, name in enumerate(class_names) if counts[index] == 0]
        if empty:
            raise UsageError(
                f"class {', '.join(empty[:5])} has no {kind} images; give it some, or number the classes that there "
                f"are 0 to {int((counts > 0).sum()) - 1}"
            )
