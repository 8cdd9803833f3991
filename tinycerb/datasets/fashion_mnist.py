"""Fashion-MNIST: 60,000 + 10,000 grey images of clothing, 28x28, 10 classes (Xiao et al., 2017; MIT licence)."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinycerb.advice.install import python_command, system_command
from tinycerb.converters.child_process import die_with_parent
from tinycerb.converters.own_folder import own_folder
from tinycerb.datasets.idx import read_idx
from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import EnvironmentProblem
from tinycerb.processes.variables import child_variables

CLASS_NAMES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
KERAS_FOLDER = Path.home() / ".keras" / "datasets" / "fashion-mnist"
FILES = tuple(
    f"{part}-ubyte.gz" for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
)

_DOWNLOAD = "import sys, tf_keras; tf_keras.datasets.fashion_mnist.load_data(cache_dir=sys.argv[1])"


def package_command() -> str:
    """Returns what to type to have Debian's package."""
    return system_command("--reinstall", "dataset-fashion-mnist")


def download_command() -> str:
    """Returns what to type to download the files through tf_keras."""
    return f'{python_command()} -c "import tf_keras; tf_keras.datasets.fashion_mnist.load_data()"'


def find_fashion_mnist(folders: Sequence[Path]) -> Path | None:
    """Returns the first folder that holds all four files, whatever is in them, or None."""
    return next((folder for folder in folders if all((folder / name).is_file() for name in FILES)), None)


def load_fashion_mnist(
    folders: Sequence[Path] = (DEBIAN_FOLDER, KERAS_FOLDER),
) -> tuple[LabelledImages, LabelledImages, str]:
    """Loads Fashion-MNIST from Debian's package, else through `tf_keras.datasets`.

    Args:
        folders: where the four IDX files may lie: Debian's package first, then what tf_keras has downloaded.
            With neither, tf_keras is asked to download them into the last one.

    Returns:
        All 60,000 training images, all 10,000 test images (uint8 [N, 28, 28, 1]; labels 0 to 9), and where
        they came from.

    Raises:
        EnvironmentProblem: neither source has them, or a file is corrupt.
    """
    found = find_fashion_mnist(folders) or _download(folders[-1])
    source = "Debian package dataset-fashion-mnist" if found == DEBIAN_FOLDER else "tf_keras.datasets.fashion_mnist"
    return _read_split(found, "train", 60000), _read_split(found, "t10k", 10000), source


def _read_split(folder: Path, prefix: str, count: int) -> LabelledImages:
    remedy = package_command() if folder == DEBIAN_FOLDER else f"rm -r {folder}, then run the same command again"
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz", (count, 28, 28), remedy)
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", (count,), remedy)
    if labels.max() >= len(CLASS_NAMES):
        raise EnvironmentProblem(
            f"{folder}/{prefix}-labels holds the label {labels.max()}; allowed: 0 to {len(CLASS_NAMES) - 1}; "
            f"mend it with: {remedy}"
        )
    return LabelledImages(images[..., np.newaxis], labels.astype(np.int32))


def _download(folder: Path) -> Path:
    """Downloads into a folder beside `folder` and renames it, so that nobody ever sees half of it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with own_folder(folder.parent, hidden=True) as cache:
            # In a process of its own: whoever measures with tflite-runtime must not import TensorFlow.
            command = die_with_parent([sys.executable, "-c", _DOWNLOAD, str(cache)])
            environment = child_variables(TF_CPP_MIN_LOG_LEVEL="3")
            child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if child.returncode == 0:
                Path(cache, "datasets", "fashion-mnist").rename(folder)
                return folder
            cause = (child.stderr.strip().splitlines() or ["no message"])[-1]
    except OSError as error:
        cause = str(error)
    raise EnvironmentProblem(
        f"Fashion-MNIST is not here and could not be downloaded ({cause}). Get it with one of:\n"
        f"  {package_command()}\n"
        f"  {download_command()}"
    )
