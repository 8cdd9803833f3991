"""A folder of image files, read with Pillow: sub-folders are classes."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinycerb.bounded.files import memory_limit, open_regular, require_memory
from tinycerb.errors import EnvironmentProblem, UsageError

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
_GREY = ("1", "L")
_COLOUR = ("LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
# What file managers leave behind.
_IGNORED = ("Thumbs.db", "desktop.ini")


def read_labelled_folder(folder: Path) -> dict[str, np.ndarray]:
    """Reads `FOLDER/CLASS/*.png`, or `FOLDER/train/CLASS/*.png` and `FOLDER/test/CLASS/*.png`.

    Returns:
        `images` and `labels`, or `train_images`, `train_labels`, `test_images` and `test_labels`; and `class_names`,
        the sub-folders in alphabetical order. Images are uint8 [N, height, width, channels], with one channel if
        all files are grey, else three.

    Raises:
        UsageError: no classes, an empty one, sizes that differ, or a file that is no image.
        EnvironmentProblem: a file is corrupt or cannot be read.
    """
    parts = {name: folder / name for name in ("train", "test") if (folder / name).is_dir()}
    if len(parts) == 1:
        (only,) = parts
        raise UsageError(f"{folder} has {only}/ and no {'test' if only == 'train' else 'train'}/; give both or neither")
    names = {part: _classes(path) for part, path in (parts or {"": folder}).items()}
    if parts and names["train"] != names["test"]:
        differing = sorted(set(names["train"]) ^ set(names["test"]))
        raise UsageError(f"train/ and test/ of {folder} have different classes: {', '.join(differing)} is in one only")
    files: list[Path] = []
    labels: dict[str, list[int]] = {}
    for part, path in (parts or {"": folder}).items():
        labels[part] = []
        for label, name in enumerate(names[part]):
            found = _files(path / name)
            if not found:
                raise UsageError(f"the class folder {path / name} has no images; allowed: {', '.join(ENDINGS)}")
            files += found
            labels[part] += [label] * len(found)
    images = _read(files)
    arrays = {"class_names": np.array(next(iter(names.values())))}
    start = 0
    for part, its_labels in labels.items():
        prefix = f"{part}_" if part else ""
        arrays[f"{prefix}images"] = images[start : start + len(its_labels)]
        arrays[f"{prefix}labels"] = np.array(its_labels, np.int32)
        start += len(its_labels)
    return arrays


def read_unlabelled_folder(folder: Path) -> Mapping[str, np.ndarray]:
    """Reads all images of a folder and of the folders in it; returns and raises as `read_labelled_folder`."""
    files = [path for place in (folder, *sorted(folder.rglob("*/"))) for path in _files(place)]
    if not files:
        raise UsageError(f"{folder} has no images; allowed: {', '.join(ENDINGS)}")
    return {"images": _read(files)}


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


def _files(folder: Path) -> list[Path]:
    files = [entry for entry in _visible(folder) if not entry.is_dir()]
    for path in files:
        if path.suffix.lower() not in ENDINGS:
            raise UsageError(f"{path} is no image file; allowed: {', '.join(ENDINGS)}; move it elsewhere")
    return files


def _read(files: list[Path]) -> np.ndarray:
    """Returns uint8 [files, height, width, 1 or 3]."""
    pictures: list[np.ndarray] = []
    for path in files:
        pictures.append(_picture(path, pictures[0] if pictures else None, files))
    channels = max(picture.shape[2] for picture in pictures)
    return np.stack([np.repeat(picture, channels // picture.shape[2], axis=2) for picture in pictures])


def _picture(path: Path, first: np.ndarray | None, files: list[Path]) -> np.ndarray:
    """Returns the pixels of one file, uint8 [height, width, 1 or 3]; its size is looked at before they are unpacked."""
    # Pillow is wanted for folders alone, and takes its time to import.
    from PIL import Image

    try:
        with warnings.catch_warnings(), open_regular(path, memory_limit()) as file:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                _check_picture(path, image.mode, image.height, image.width, first, files)
                pixels = np.asarray(image.convert("L" if image.mode in _GREY else "RGB"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UsageError(f"{path} is larger than any picture for a microcontroller ({error})") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise EnvironmentProblem(f"{path} is corrupt or no image ({error}); replace it or delete it") from error
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def _check_picture(path: Path, mode: str, height: int, width: int, first: np.ndarray | None, files: list[Path]) -> None:
    if mode not in (*_GREY, *_COLOUR):
        raise UsageError(f"{path} has {mode!r} pixels; allowed: 8 bits a channel ({', '.join(_GREY + _COLOUR)})")
    if first is None:
        require_memory(height * width * 3 * len(files), f"{len(files):,} pictures of {height}x{width} like {path}")
    elif (height, width) != first.shape[:2]:
        wanted = f"{first.shape[0]}x{first.shape[1]}"
        raise UsageError(
            f"{path} has {height}x{width} pixels (height x width), {files[0]} has {wanted}; all must have one size: "
            f"mogrify -resize {first.shape[1]}x{first.shape[0]}! FILES (ImageMagick)"
        )
