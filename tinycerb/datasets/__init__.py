"""Data sets of victims, query pools of attackers, and the defender's procedural images."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from tinycerb.config import DataConfig
from tinycerb.datasets.fashion_mnist import CLASS_NAMES, load_fashion_mnist
from tinycerb.datasets.images import Dataset, LabelledImages
from tinycerb.errors import UsageError
from tinycerb.registry import Registry

DATASETS: Registry[Callable[[DataConfig], Dataset]] = Registry("data set")


@DATASETS.register("fashion_mnist")
def _fashion_mnist(config: DataConfig) -> Dataset:
    train, test, source = load_fashion_mnist()
    return _split(config, source, CLASS_NAMES, train, test)


@lru_cache(maxsize=2)
def load_dataset(config: DataConfig) -> Dataset:
    """Loads and splits the configured data set; asked again, it returns the same arrays.

    Raises:
        UsageError: unknown name, or more images asked for than there are.
        EnvironmentProblem: the data are missing or corrupt.
    """
    return DATASETS[config.name](config)


def _split(
    config: DataConfig, source: str, class_names: tuple[str, ...], train: LabelledImages, test: LabelledImages
) -> Dataset:
    """Holds out validation images by a permutation that never changes, whatever the run's seed."""
    available = len(train.images)
    wanted = config.validation_images + max(config.train_images, 1)
    if wanted > available or config.test_images > len(test.images):
        raise UsageError(
            f"data asks for {config.validation_images} validation, {config.train_images} training and "
            f"{config.test_images} test images; {config.name} has {available} for the first two and "
            f"{len(test.images)} for the last"
        )
    order = np.random.default_rng(0).permutation(available)
    shuffled = LabelledImages(train.images[order], train.labels[order])
    held_out = config.validation_images
    return Dataset(
        name=config.name,
        source=source,
        class_names=class_names,
        train=LabelledImages(shuffled.images[held_out:], shuffled.labels[held_out:]).take(config.train_images),
        validation=shuffled.take(held_out),
        test=test.take(config.test_images),
    )
