"""`python -m tinycerb.verification.train_independent ORDER`: small networks that were not stolen, beside TensorFlow."""

import json
import sys
from pathlib import Path

import numpy as np

from tinycerb.atomic import write_arrays
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.bounded.arrays import read_npz
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.keras_models.legacy import keras
from tinycerb.run.directory import RunDirectory
from tinycerb.subprocess_call import answer
from tinycerb.training.setup import make_repeatable
from tinycerb.verification.removals import fit, labels_of

# Networks of unlike families take turns.
_FAMILIES = ("lenet", "plain_cnn", "batchnorm_cnn")
_MOST_IMAGES, _EPOCHS = 8000, 3


def independent_network(dataset: Dataset, index: int) -> tuple[str, keras.Model]:
    """Trains one on a random half of a data set, at most 8,000 images.

    Args:
        dataset: what it learns.
        index: which one; decides on half, family and seed.

    Returns:
        The student that it is, and the network: float images in 0..1 to logits.
    """
    train, height, width, channels = dataset.train, *dataset.image_shape
    chosen = np.random.default_rng([index, 41]).permutation(len(train.images))
    chosen = chosen[: min(_MOST_IMAGES, max(1, len(chosen) // 2))]
    make_repeatable(index + 1)
    name = _FAMILIES[index % len(_FAMILIES)]
    network = STUDENTS[name]((height, width, channels), dataset.classes)
    return name, fit(network, train.images[chosen], train.labels[chosen], _EPOCHS, 1e-3)


def independent_labels(dataset: Dataset, images: np.ndarray, networks: int) -> np.ndarray:
    """Returns the labels of networks that are trained on random halves of a data set, at most 8,000 images each.

    Args:
        dataset: what they learn.
        images: what they are asked, uint8 [N, height, width, channels].
        networks: how many.

    Returns:
        int64 [networks, N].
    """
    return np.stack([labels_of(independent_network(dataset, index)[1], images) for index in range(networks)])


def _work() -> None:
    order = json.loads(sys.argv[1])
    dataset = load_dataset(RunDirectory.open(Path(order["run"])).config.data)
    images = read_npz(Path(order["questions"]))["images"]
    write_arrays(Path(order["answers"]), {"labels": independent_labels(dataset, images, order["networks"])})


if __name__ == "__main__":
    answer(_work)
