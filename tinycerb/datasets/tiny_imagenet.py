"""Tiny ImageNet (Stanford CS231n): 200 classes of ImageNet, for non-commercial research; others hold the rights."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tinycerb.errors import EnvironmentProblem

# Half of what the archive holds: the size of CIFAR's images, whose victims are asked about these.
SIZE = 32
URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
MD5 = "90528d7ca1a48142e341f4ef8d21d0de"
_ROOT = "tiny-imagenet-200"


def read_tiny_imagenet(path: Path) -> dict[str, np.ndarray]:
    """Reads the archive as it was downloaded; every image is resized from 64 x 64 to 32 x 32 by area.

    The published test images have no labels: those of the validation part are the test here.

    Returns:
        `train_images` and `test_images`, uint8 [N, 32, 32, 3], and `train_labels` and `test_labels`, int32 [N], by
        ImageNet's class names in alphabetical order.

    Raises:
        EnvironmentProblem: it is missing or damaged.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            classes = sorted(opened.read(f"{_ROOT}/wnids.txt").decode().split())
            number = {name: index for index, name in enumerate(classes)}
            train = sorted(name for name in opened.namelist() if name.startswith(f"{_ROOT}/train/") and _is_image(name))
            rows = opened.read(f"{_ROOT}/val/val_annotations.txt").decode().splitlines()
            test = [row.split("\t")[:2] for row in rows]
            return {
                "train_images": _read(opened, train),
                "train_labels": np.array([number[name.split("/")[2]] for name in train], np.int32),
                "test_images": _read(opened, [f"{_ROOT}/val/images/{name}" for name, _ in test]),
                "test_labels": np.array([number[label] for _, label in test], np.int32),
            }
    except (OSError, KeyError, ValueError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise EnvironmentProblem(f"the archive {path} is missing or damaged: {error}") from error


def _is_image(name: str) -> bool:
    return name.endswith(".JPEG")


def _read(opened: zipfile.ZipFile, names: list[str]) -> np.ndarray:
    images = np.empty((len(names), SIZE, SIZE, 3), np.uint8)
    for image, name in zip(images, names, strict=True):
        with Image.open(io.BytesIO(opened.read(name))) as picture:
            image[:] = np.asarray(picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX))
    return images
