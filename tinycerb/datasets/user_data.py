"""Data that a user brings along: a .npz file, a function, or a folder of images, checked from end to end."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from tinycerb.bounded.arrays import read_npz, read_npz_from
from tinycerb.config.user_sources import is_reference
from tinycerb.datasets.arrays import as_images, as_labels, check_classes
from tinycerb.datasets.brought import Brought, describe_arrays
from tinycerb.datasets.groups import as_groups, held_out_groups
from tinycerb.datasets.image_folder import read_labelled_folder, read_unlabelled_folder
from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.subprocess_call import call_in_subprocess

KINDS = "a .npz file, a folder of images, or package.module:function"
_KEYS = (
    "allowed: train_images, train_labels, test_images, test_labels (or x_train, y_train, x_test, y_test), or images "
    "and labels, of which a fifth is held out for the test; class_names and train_groups or groups if you like; for "
    "example np.savez_compressed('data.npz', images=..., labels=...)"
)
# What Keras and scikit-learn call them.
_OTHER_NAMES = {
    "x_train": "train_images",
    "X_train": "train_images",
    "y_train": "train_labels",
    "Y_train": "train_labels",
    "x_test": "test_images",
    "X_test": "test_images",
    "y_test": "test_labels",
    "Y_test": "test_labels",
}


@dataclass(frozen=True)
class UserData:
    """Labelled images that a user has brought along.

    Attributes:
        train: to learn from.
        test: to measure with.
        class_names: one per class.
        left_out: what the source holds beside them, one phrase with a count each.
    """

    train: LabelledImages
    test: LabelledImages
    class_names: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class UserPool:
    """Images without labels that a user has brought along.

    Attributes:
        images: uint8 [N, height, width, channels], all distinct, in a fixed order.
        left_out: what the source holds beside them, one phrase with a count each.
    """

    images: np.ndarray
    left_out: tuple[str, ...]


@lru_cache(maxsize=2)
def open_user_data(source: str, groups: str = "") -> UserData:
    """Loads labelled images.

    Args:
        source: a path or a reference.
        groups: for a folder, the rule by which names of files tell what belongs together.

    Raises:
        UsageError: what is there does not fit; the message says what would.
        EnvironmentProblem: it is missing or corrupt.
    """
    if not source:
        raise UsageError(f"data.source is empty; name your data with --data: {KINDS}")
    brought = read_source(source, labelled=True, groups=groups)
    called = own_names(brought.arrays, source)
    arrays = {key: brought.arrays[own] for key, own in called.items()}
    names = class_names_of(arrays, source)
    if "train_images" in arrays and "test_images" in arrays:
        parts = ("train_", "test_")
        train = _labelled(arrays, called, "train_", len(names), source)
        classes = len(names) or int(train.labels.max()) + 1
        test = _labelled(arrays, called, "test_", classes, source)
        if train.images.shape[1:] != test.images.shape[1:]:
            raise UsageError(
                f"train_images of {source} has images of {train.images.shape[1:]}, test_images of "
                f"{test.images.shape[1:]}; allowed: one shape"
            )
    elif "images" in arrays:
        parts = ("",)
        everything = _labelled(arrays, called, "", len(names), source)
        classes = len(names) or int(everything.labels.max()) + 1
        train, test = _hold_out(everything)
    else:
        raise UsageError(f"{source} holds {', '.join(sorted(called.values())) or 'nothing'}; {_KEYS}")
    names = names or tuple(str(index) for index in range(classes))
    check_classes(names, train, test)
    kinds = [f"{part}{kind}" for part in parts for kind in ("images", "labels", "groups")]
    used = {called[kind] for kind in kinds if kind in called}
    extra = describe_arrays(brought.arrays, frozenset(used | {"class_names"}))
    return UserData(train, test, names, (*brought.left_out, *extra))


def load_user_data(source: str, groups: str = "") -> tuple[LabelledImages, LabelledImages, tuple[str, ...]]:
    """Returns training images, test images, and one name per class; takes and raises as `open_user_data`."""
    data = open_user_data(source, groups)
    return data.train, data.test, data.class_names


@lru_cache(maxsize=2)
def open_user_pool(source: str) -> UserPool:
    """Loads an attacker's images: the array `images`, or the only one; a folder may have sub-folders.

    Raises:
        UsageError: what is there does not fit.
        EnvironmentProblem: it is missing or corrupt.
    """
    brought = read_source(source, labelled=False)
    arrays = brought.arrays
    key = "images" if "images" in arrays else next(iter(arrays), "")
    if key != "images" and len(arrays) != 1:
        raise UsageError(f"{source} holds {', '.join(sorted(arrays)) or 'nothing'}; allowed: images")
    images = as_images(arrays[key], f"{key} of {source}")
    distinct = np.unique(images, axis=0)
    left_out = (*brought.left_out, *describe_arrays(arrays, frozenset((key,))))
    if len(distinct) < len(images):
        left_out += (f"{len(images) - len(distinct):,} of {len(images):,} images, copies of the others",)
    return UserPool(distinct, left_out)


def load_user_pool(source: str) -> np.ndarray:
    """Returns the images of `open_user_pool`; raises likewise."""
    return open_user_pool(source).images


def read_source(source: str, labelled: bool, groups: str = "") -> Brought:
    """Reads whatever a user can name, unchecked.

    Args:
        source: a path or a reference.
        labelled: whether the sub-folders of a folder are classes.
        groups: as for `open_user_data`.

    Raises:
        UsageError: it is of no kind that is known.
        EnvironmentProblem: it is missing or corrupt.
    """
    if groups and not Path(source).is_dir():
        raise UsageError(
            f"data.groups is {groups!r}, a rule for names of files, and {source} is no folder; allowed: none, and an "
            "array train_groups (or groups, beside images) in the data"
        )
    if is_reference(source):
        with tempfile.TemporaryDirectory(prefix="tinycerb-") as folder:
            path = Path(folder, "arrays.npz")
            call_in_subprocess("tinycerb.datasets.call_loader", source, str(path))
            # Nobody knows the file that the arrays come through.
            with path.open("rb") as file:
                return Brought(read_npz_from(file, Path(source)))
    path = Path(source)
    if path.is_dir():
        return read_labelled_folder(path, groups) if labelled else read_unlabelled_folder(path)
    if not path.exists():
        raise EnvironmentProblem(f"there is no {source}; allowed: {KINDS}")
    if path.suffix != ".npz":
        raise UsageError(f"{source} ends in {path.suffix!r}; allowed: {KINDS}")
    return Brought(read_npz(path))


def own_names(arrays: Mapping[str, np.ndarray], source: str) -> dict[str, str]:
    """Returns what the user calls each array, by the name that it has here."""
    called: dict[str, str] = {}
    for key in arrays:
        name = _OTHER_NAMES.get(key, key)
        if name in called:
            raise UsageError(f"{source} holds both {called[name]} and {key}; allowed: one of them")
        called[name] = key
    return called


def _labelled(
    arrays: Mapping[str, np.ndarray], called: Mapping[str, str], prefix: str, classes: int, source: str
) -> LabelledImages:
    if f"{prefix}labels" not in arrays:
        raise UsageError(f"{source} holds {', '.join(sorted(called.values()))}, and no {prefix}labels; {_KEYS}")
    images = as_images(arrays[f"{prefix}images"], f"{called[f'{prefix}images']} of {source}")
    labels = as_labels(arrays[f"{prefix}labels"], len(images), classes, f"{called[f'{prefix}labels']} of {source}")
    groups = None
    if f"{prefix}groups" in arrays:
        groups = as_groups(arrays[f"{prefix}groups"], len(images), f"{called[f'{prefix}groups']} of {source}")
    return LabelledImages(images, labels, groups)


def class_names_of(arrays: Mapping[str, np.ndarray], source: str) -> tuple[str, ...]:
    """Returns the names of the classes, none where there are none; raises UsageError for what is no list of texts."""
    names = arrays.get("class_names")
    if names is None:
        return ()
    if names.dtype.kind != "U" or names.ndim != 1:
        raise UsageError(f"class_names of {source} is {names.dtype} {names.shape}; allowed: a list of strings")
    return tuple(str(name) for name in names)


def _hold_out(everything: LabelledImages) -> tuple[LabelledImages, LabelledImages]:
    """Takes every fifth image of each class for the test, or a fifth in whole groups; always the same ones."""
    if everything.groups is not None:
        is_test = held_out_groups(everything.groups, everything.labels, len(everything.labels) // 5)
        return everything.chosen(~is_test), everything.chosen(is_test)
    rng = np.random.default_rng(0)
    is_test = np.zeros(len(everything.labels), bool)
    for label in np.unique(everything.labels):
        members = rng.permutation(np.flatnonzero(everything.labels == label))
        is_test[members[::5]] = True
    return everything.chosen(~is_test), everything.chosen(is_test)
