"""Published data sets that are fetched once, by a command of their own, and then read from one file each."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tinycerb.advice.install import python_command
from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import EnvironmentProblem

FOLDER = Path.home() / ".keras" / "datasets" / "tinycerb"


@dataclass(frozen=True)
class Fetched:
    """A data set that is fetched.

    Attributes:
        class_names: of its labels, from 0.
        about: one line: what it shows, how many images of what size, where it comes from.
        wanted_as: what `tinycerb.datasets.fetch` is asked for to get it; "" for its name.
    """

    class_names: tuple[str, ...]
    about: str
    wanted_as: str = ""


_DIGITS = tuple("0123456789")
_SIGNS = tuple(f"sign {number}" for number in range(43))
_OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FETCHED = {
    "mnist": Fetched(
        _DIGITS, "MNIST: 60,000 + 10,000 grey images of handwritten digits, 28x28, 10 classes (LeCun et al., 1998)"
    ),
    "cifar10": Fetched(
        _OBJECTS, "CIFAR-10: 50,000 + 10,000 colour images of objects, 32x32, 10 classes (Krizhevsky, 2009)"
    ),
    "cifar100": Fetched(
        tuple(f"fine class {number}" for number in range(100)),
        "CIFAR-100: 50,000 + 10,000 colour images of objects, 32x32, 100 classes (Krizhevsky, 2009)",
    ),
    "svhn": Fetched(
        _DIGITS,
        "SVHN: 73,257 + 26,032 colour images of house numbers' digits, 32x32, 10 classes (Netzer et al., 2011)",
    ),
    "gtsrb": Fetched(
        _SIGNS,
        "GTSRB: 39,209 + 12,630 colour images of German traffic signs, 32x32, 43 classes (Stallkamp et al., 2012)",
    ),
    "gtsrb_3": Fetched(
        _SIGNS,
        "GTSRB-3: of GTSRB's training images frames 0, 10 and 20 of each track: 3,921 + 12,630 images, 43 classes",
        "gtsrb --frames 0,10,20",
    ),
    "tiny_imagenet": Fetched(
        tuple(f"class {number}" for number in range(200)),
        "Tiny ImageNet: 100,000 + 10,000 colour images of objects, 32x32, 200 classes, for research alone (CS231n)",
    ),
}
_KEYS = ("train_images", "train_labels", "test_images", "test_labels")


def fetch_command(name: str) -> str:
    """Returns the command that fetches a data set, with the Python that runs now."""
    return f"{python_command()} -m tinycerb.datasets.fetch {FETCHED[name].wanted_as or name}"


def load_fetched(name: str, folder: Path = FOLDER) -> tuple[LabelledImages, LabelledImages]:
    """Reads a data set that was fetched.

    Args:
        name: a name of `FETCHED`.
        folder: where it was put.

    Returns:
        All training and all test images, uint8 [N, height, width, channels], with int32 labels, and with groups where
        training images have some.

    Raises:
        EnvironmentProblem: it was not fetched, or its file is damaged or holds labels outside the classes.
    """
    path, remedy = folder / f"{name}.npz", fetch_command(name)
    if not path.exists():
        raise EnvironmentProblem(f"{name} is not here ({path}); get it with: {remedy}")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            train_images, train_labels, test_images, test_labels = (arrays[key] for key in _KEYS)
            groups = arrays["train_groups"] if "train_groups" in arrays.files else None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise EnvironmentProblem(f"{path} is damaged ({error}); get it again: rm {path}; {remedy}") from error
    for labels in (train_labels, test_labels):
        wrong = labels[(labels < 0) | (labels >= len(FETCHED[name].class_names))]
        if len(wrong):
            raise EnvironmentProblem(
                f"{path} holds the label {wrong[0]}; allowed: 0 to {len(FETCHED[name].class_names) - 1}; "
                f"get it again: rm {path}; {remedy}"
            )
    return (
        LabelledImages(train_images, train_labels.astype(np.int32), groups),
        LabelledImages(test_images, test_labels.astype(np.int32)),
    )
