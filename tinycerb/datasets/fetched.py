"""Published data sets that are fetched once, by a command of their own, and then read from one file each."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import EnvironmentProblem

FOLDER = Path.home() / ".keras" / "datasets" / "tinycerb"
# Name: class names.
FETCHED: dict[str, tuple[str, ...]] = {
    "mnist": tuple("0123456789"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    "cifar100": tuple(f"fine class {number}" for number in range(100)),
    "svhn": tuple("0123456789"),
    "gtsrb": tuple(f"sign {number}" for number in range(43)),
}
_KEYS = ("train_images", "train_labels", "test_images", "test_labels")


def fetch_command(name: str) -> str:
    """Returns the command that fetches a data set."""
    return f".venv/bin/python -m tinycerb.datasets.fetch {name}"


def load_fetched(name: str, folder: Path = FOLDER) -> tuple[LabelledImages, LabelledImages]:
    """Reads a data set that was fetched.

    Args:
        name: a name of `FETCHED`.
        folder: where it was put.

    Returns:
        All training and all test images, uint8 [N, height, width, channels], with int32 labels.

    Raises:
        EnvironmentProblem: it was not fetched, or its file is damaged or holds labels outside the classes.
    """
    path, remedy = folder / f"{name}.npz", fetch_command(name)
    if not path.exists():
        raise EnvironmentProblem(f"{name} is not here ({path}); get it with: {remedy}")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            train_images, train_labels, test_images, test_labels = (arrays[key] for key in _KEYS)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise EnvironmentProblem(f"{path} is damaged ({error}); get it again: rm {path}; {remedy}") from error
    for labels in (train_labels, test_labels):
        wrong = labels[(labels < 0) | (labels >= len(FETCHED[name]))]
        if len(wrong):
            raise EnvironmentProblem(
                f"{path} holds the label {wrong[0]}; allowed: 0 to {len(FETCHED[name]) - 1}; "
                f"get it again: rm {path}; {remedy}"
            )
    return (
        LabelledImages(train_images, train_labels.astype(np.int32)),
        LabelledImages(test_images, test_labels.astype(np.int32)),
    )
