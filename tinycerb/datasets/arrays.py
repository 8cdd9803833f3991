"""Checks of images and labels that a user brings along: every error names the wrong value and what would be right."""

import numpy as np

from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import UsageError

# Fewer measure nothing: one image would be 2 points of accuracy or more.
FEWEST_TRAIN = 50
FEWEST_TEST = 10
_SMALLEST_SIDE = 8
_MOST_CHANNELS = 16


def as_images(array: np.ndarray, where: str) -> np.ndarray:
    """Returns images as uint8 [N, height, width, channels]; grey ones may come without the last axis.

    Raises:
        UsageError: another dtype or shape, or no image at all.
    """
    if array.dtype != np.uint8:
        raise UsageError(f"{where} has dtype {array.dtype}{_about_floats(array)}; allowed: uint8, 0 to 255")
    images = array[..., np.newaxis] if array.ndim == 3 else array
    if images.ndim != 4:
        raise UsageError(
            f"{where} has shape {array.shape}; allowed: [images, height, width, channels] or [images, height, width]"
        )
    count, height, width, channels = images.shape
    if count == 0:
        raise UsageError(f"{where} has no images; give at least {FEWEST_TRAIN} to train with")
    if min(height, width) < _SMALLEST_SIDE or not 1 <= channels <= _MOST_CHANNELS:
        raise UsageError(
            f"{where} has images of {height}x{width}x{channels} (height x width x channels); allowed: sides of "
            f"{_SMALLEST_SIDE} or more, 1 to {_MOST_CHANNELS} channels in the last axis"
        )
    return np.ascontiguousarray(images)


def _about_floats(array: np.ndarray) -> str:
    if array.dtype.kind == "O":
        return " (Python objects)"
    if array.dtype.kind != "f" or array.size == 0:
        return ""
    wrong = int((~np.isfinite(array)).sum())
    if wrong:
        return f" with {wrong} values that are NaN or infinite"
    low, high = float(array.min()), float(array.max())
    remedy = "np.rint(images * 255).astype(np.uint8)" if high <= 1 and low >= 0 else "images.astype(np.uint8)"
    return f", {low:g} to {high:g} (turn it into integers: {remedy})"


def as_labels(array: np.ndarray, count: int, classes: int, where: str) -> np.ndarray:
    """Returns labels as int32 [N].

    Args:
        array: integers [N] or [N, 1].
        count: how many images there are.
        classes: number of classes, 0 for not known yet.
        where: what to call the array in messages.

    Raises:
        UsageError: another dtype, shape or count, or a label out of range.
    """
    if array.dtype.kind not in "iu":
        about = _about_floats(array) if array.dtype.kind == "f" and not np.isfinite(array).all() else ""
        raise UsageError(f"{where} has dtype {array.dtype}{about}; allowed: integers, the class of each image")
    labels = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if labels.ndim != 1:
        hint = "; for one-hot rows take labels.argmax(axis=1)" if labels.ndim == 2 else ""
        raise UsageError(f"{where} has shape {array.shape}; allowed: [{count}]{hint}")
    if len(labels) != count:
        raise UsageError(f"{where} has {len(labels)} labels for {count} images; allowed: one per image")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (classes and high >= classes):
        wrong = low if low < 0 else high
        most = classes - 1 if classes else "classes - 1"
        raise UsageError(f"{where} holds the label {wrong}; allowed: 0 to {most}")
    return labels.astype(np.int32)


def check_classes(class_names: tuple[str, ...], train: LabelledImages, test: LabelledImages) -> None:
    """Checks that there is something to learn and to measure for every class.

    Raises:
        UsageError: one class only, too few images, or a class without any.
    """
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
