"""A folder of image files: sub-folders are classes. Whatever lies in one is used, is refused, or is named."""

from pathlib import Path

import numpy as np

from tinycerb.datasets.brought import Brought
from tinycerb.datasets.groups import groups_of_names
from tinycerb.datasets.pictures import ENDINGS, read_pictures
from tinycerb.errors import EnvironmentProblem, UsageError

# What file managers leave behind.
_IGNORED = ("Thumbs.db", "desktop.ini")
_PARTS = ("train", "test")


def read_labelled_folder(folder: Path, groups: str = "") -> Brought:
    """Reads `FOLDER/CLASS/*.png`, or `FOLDER/train/CLASS/*.png` and `FOLDER/test/CLASS/*.png`.

    Args:
        folder: the folder.
        groups: a rule by which names of files tell what belongs together; see `groups_of_names`.

    Returns:
        `images` and `labels`, or `train_images`, `train_labels`, `test_images` and `test_labels`; and `class_names`,
        the sub-folders in alphabetical order. Folders inside a class belong to it. Images are uint8
        [N, height, width, channels], with one channel if all files are grey, else three.

    Raises:
        UsageError: no classes, an empty one, sizes that differ, or a file in a class that is no image.
        EnvironmentProblem: a file is corrupt or cannot be read.
    """
    parts = {name: folder / name for name in _PARTS if (folder / name).is_dir()}
    if len(parts) == 1:
        (only,) = parts
        raise UsageError(f"{folder} has {only}/ and no {'test' if only == 'train' else 'train'}/; give both or neither")
    left_out = _beside_parts(folder) if parts else []
    names: dict[str, list[str]] = {}
    for part, path in (parts or {"": folder}).items():
        names[part] = _classes(path)
        left_out += _beside_classes(path)
    if parts and names["train"] != names["test"]:
        differing = sorted(set(names["train"]) ^ set(names["test"]))
        raise UsageError(f"train/ and test/ of {folder} have different classes: {', '.join(differing)} is in one only")
    files: list[Path] = []
    arrays: dict[str, np.ndarray] = {}
    labels: dict[str, list[int]] = {}
    for part, path in (parts or {"": folder}).items():
        labels[part] = []
        first = len(files)
        for label, name in enumerate(names[part]):
            found = pictures_in(path / name)
            if not found:
                raise UsageError(f"the class folder {path / name} has no images; allowed: {', '.join(ENDINGS)}")
            files += found
            labels[part] += [label] * len(found)
        if groups:
            below = [file.relative_to(path).as_posix() for file in files[first:]]
            arrays[f"{part}_groups" if part else "groups"] = groups_of_names(below, groups, str(path))
    images, lost = read_pictures(files)
    arrays["class_names"] = np.array(next(iter(names.values())))
    start = 0
    for part, its_labels in labels.items():
        prefix = f"{part}_" if part else ""
        arrays[f"{prefix}images"] = images[start : start + len(its_labels)]
        arrays[f"{prefix}labels"] = np.array(its_labels, np.int32)
        start += len(its_labels)
    return Brought(arrays, (*left_out, *lost))


def read_unlabelled_folder(folder: Path) -> Brought:
    """Reads all images of a folder and of the folders in it, as `images`; raises as `read_labelled_folder`."""
    files = pictures_in(folder)
    if not files:
        raise UsageError(f"{folder} has no images; allowed: {', '.join(ENDINGS)}")
    images, lost = read_pictures(files)
    return Brought({"images": images}, lost)


def _visible(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise EnvironmentProblem(f"cannot read the folder {folder}: {error.strerror}") from error
    return [entry for entry in entries if not entry.name.startswith(".") and entry.name not in _IGNORED]


def _classes(folder: Path) -> list[str]:
    names = [entry.name for entry in _visible(folder) if entry.is_dir()]
    if not names:
        raise UsageError(f"{folder} has no sub-folders; allowed: one per class, with its images inside")
    return names


def pictures_in(folder: Path) -> list[Path]:
    """Returns all files of a folder, and of folders in it, through links as well.

    Raises:
        UsageError: one is no image file.
        EnvironmentProblem: the folder cannot be read.
    """
    files = _files(folder, ())
    for path in files:
        if path.suffix.lower() not in ENDINGS:
            raise UsageError(f"{path} is no image file; allowed: {', '.join(ENDINGS)}; move it elsewhere")
    return files


def _files(folder: Path, above: tuple[Path, ...]) -> list[Path]:
    real = folder.resolve()
    if real in above:
        raise UsageError(f"{folder} is a link to {real}, in which it lies itself; delete it")
    entries = _visible(folder)
    found = [entry for entry in entries if not entry.is_dir()]
    for entry in entries:
        if entry.is_dir():
            found += _files(entry, (*above, real))
    return found


def _beside_parts(folder: Path) -> list[str]:
    """What lies beside `train/` and `test/`."""
    beside = [entry for entry in _visible(folder) if entry.name not in _PARTS]
    told = [
        f"{entry}, {_files_in_words(len(_files(entry, ())))} (validation images are held out from train/)"
        for entry in beside
        if entry.is_dir()
    ]
    return told + _count([entry for entry in beside if not entry.is_dir()], "train/ and test/")


def _beside_classes(folder: Path) -> list[str]:
    return _count([entry for entry in _visible(folder) if not entry.is_dir()], f"the classes in {folder}")


def _count(files: list[Path], what: str) -> list[str]:
    return [f"{_files_in_words(len(files))} beside {what}, {files[0]} first"] if files else []


def _files_in_words(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"
