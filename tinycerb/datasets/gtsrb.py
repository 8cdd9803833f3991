"""German traffic signs (GTSRB; Stallkamp et al., Neural Networks 2012): 39,209 training and 12,630 test images.

Training images are frames of 1,307 tracks, up to 30 of each: a sign that comes nearer. A validation image from a track
that was trained on is no new sign.
"""

import csv
from collections.abc import Collection
from pathlib import Path

import numpy as np
from PIL import Image

from tinycerb.datasets.groups import numbered
from tinycerb.errors import EnvironmentProblem

# Signs are photographed at 15 to 250 pixels; the usual size of small networks for them.
SIZE = 32
_ARCHIVE = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370"
_PARTS = ("GTSRB_Final_Training_Images.zip", "GTSRB_Final_Test_Images.zip", "GTSRB_Final_Test_GT.zip")
_TEST_LABELS = "GT-final_test.csv"


def download_gtsrb(folder: Path) -> None:
    """Downloads the three official archives (about 360 MB) and unpacks them into a folder. It loads TensorFlow."""
    from tinycerb.keras_models.legacy import keras

    for name in _PARTS:
        keras.utils.get_file(name, f"{_ARCHIVE}/{name}", cache_dir=str(folder), cache_subdir=".", extract=True)


def read_gtsrb(folder: Path, frames: Collection[int] = ()) -> dict[str, np.ndarray]:
    """Reads the unpacked archives; every image is resized to 32 x 32 by area.

    Args:
        folder: where they are.
        frames: which frames of each track, counted from 0; empty for all.

    Returns:
        `train_images` and `test_images`, uint8 [N, 32, 32, 3], `train_labels` and `test_labels`, int32 [N], 0 to 42,
        and `train_groups`, int32 [N], the track of each training image.

    Raises:
        EnvironmentProblem: a part is missing or damaged.
    """
    training = folder / "GTSRB" / "Final_Training" / "Images"
    test = folder / "GTSRB" / "Final_Test" / "Images"
    files = sorted(training.glob("*/*.ppm"))
    try:
        # CLASS/TRACK_FRAME.ppm
        places = [(path.parent.name, *path.stem.split("_")) for path in files]
        chosen = [index for index, (_, _, frame) in enumerate(places) if not frames or int(frame) in frames]
    except ValueError as error:
        raise EnvironmentProblem(f"{training} has a file that is not called TRACK_FRAME.ppm: {error}") from error
    try:
        with (folder / _TEST_LABELS).open(newline="") as table:
            rows = [(test / row["Filename"], int(row["ClassId"])) for row in csv.DictReader(table, delimiter=";")]
    except (OSError, KeyError, ValueError) as error:
        raise EnvironmentProblem(f"{folder / _TEST_LABELS} cannot be read: {error!r}") from error
    if not files:
        raise EnvironmentProblem(f"{training} has no images; expected one folder per class")
    if not chosen:
        raise EnvironmentProblem(
            f"{training} has none of the frames {', '.join(map(str, sorted(frames)))}; allowed: 0 to 29"
        )
    tracks = [f"{label}/{track}" for label, track, _ in (places[index] for index in chosen)]
    return {
        "train_images": _read([files[index] for index in chosen]),
        "train_labels": np.array([int(places[index][0]) for index in chosen], np.int32),
        "train_groups": numbered(np.array(tracks)),
        "test_images": _read([path for path, _ in rows]),
        "test_labels": np.array([label for _, label in rows], np.int32),
    }


def _read(files: list[Path]) -> np.ndarray:
    images = np.empty((len(files), SIZE, SIZE, 3), np.uint8)
    for image, path in zip(images, files, strict=True):
        try:
            with Image.open(path) as opened:
                image[:] = np.asarray(opened.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX))
        except OSError as error:
            raise EnvironmentProblem(f"{path} cannot be read: {error}") from error
    return images
