"""Data sets of victims, query pools of attackers, and the defender's procedural images."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from tinycerb.config import DataConfig
from tinycerb.config.user_sources import USER, is_reference
from tinycerb.datasets.fashion_mnist import CLASS_NAMES, load_fashion_mnist
from tinycerb.datasets.fetched import FETCHED, fetch_command, load_fetched
from tinycerb.datasets.groups import held_out_groups
from tinycerb.datasets.images import Dataset, LabelledImages
from tinycerb.datasets.user_data import load_user_data
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.registry import Registry

DATASETS: Registry[Callable[[DataConfig], Dataset]] = Registry("data set")


@DATASETS.register("fashion_mnist")
def _fashion_mnist(config: DataConfig) -> Dataset:
    """Fashion-MNIST: 60,000 + 10,000 grey images of clothing, 28x28, 10 classes (Xiao et al., 2017).

    It comes with Debian's package dataset-fashion-mnist; without it, tf_keras downloads it.
    """
    train, test, source = load_fashion_mnist()
    return split_data(config, source, CLASS_NAMES, train, test)


def _fetched(name: str) -> Callable[[DataConfig], Dataset]:
    def load(config: DataConfig) -> Dataset:
        train, test = load_fetched(name)
        return split_data(config, f"tinycerb.datasets.fetch {name}", FETCHED[name].class_names, train, test)

    load.__doc__ = f"{FETCHED[name].about}.\n\nFetched once: {fetch_command(name)}"
    return load


for _name in FETCHED:
    DATASETS.register(_name)(_fetched(_name))


@DATASETS.register(USER)
def _user(config: DataConfig) -> Dataset:
    """Data of your own: `data.source` or --data names a .npz file, a folder of images per class, or code."""
    train, test, class_names = load_user_data(config.source, config.groups)
    source = config.source if is_reference(config.source) else Path(config.source).name
    dataset = split_data(config, source, class_names, train, test)
    missing = set(range(dataset.classes)) - set(dataset.train.labels.tolist())
    if missing:
        raise UsageError(
            f"no training image of class {class_names[min(missing)]!r} is left beside {len(dataset.validation.images)} "
            f"validation images; allowed: fewer data.validation_images, more data.train_images, or more images"
        )
    return dataset


@lru_cache(maxsize=2)
def load_dataset(config: DataConfig) -> Dataset:
    """Loads and splits the configured data set; asked again, it returns the same arrays.

    Raises:
        UsageError: unknown name, or more images asked for than there are.
        EnvironmentProblem: the data are missing or corrupt, or have changed since the run was started.
    """
    dataset = DATASETS[config.name](config)
    if config.sha256 and config.sha256 != dataset.digest:
        raise EnvironmentProblem(
            f"the data {config.source or config.name} are not those that the run was started with (SHA-256 "
            f"{dataset.digest[:16]}..., then {config.sha256[:16]}...); bring those back, or start a new run"
        )
    return dataset


def split_data(
    config: DataConfig, source: str, class_names: tuple[str, ...], train: LabelledImages, test: LabelledImages
) -> Dataset:
    """Makes a data set, for `DATASETS`: holds out validation images by a permutation that never changes.

    Images that belong together stay together, where there are groups.

    Args:
        config: how many images of each part.
        source: where they come from, for reports.
        class_names: one for each label.
        train: all images for training and validation.
        test: all test images.

    Raises:
        UsageError: more images are asked for than there are.
    """
    available = len(train.images)
    held_out = config.validation_images or max(available // 10, 1)
    for key, most in (
        ("validation_images", available - 1),
        ("train_images", available - held_out),
        ("test_images", len(test.images)),
    ):
        asked = getattr(config, key)
        if asked > most:
            raise UsageError(
                f"data.{key} is {asked}; {config.source or config.name} has {available} images for training and "
                f"validation, {len(test.images)} for the test; allowed: 0 to {max(most, 0)}"
            )
    order = np.random.default_rng(0).permutation(available)
    shuffled = train.chosen(order)
    if shuffled.groups is None:
        rest, validation = slice(held_out, None), slice(held_out)
    else:
        validation = held_out_groups(shuffled.groups, shuffled.labels, held_out)
        rest = ~validation
    return Dataset(
        name=config.name,
        source=source,
        class_names=class_names,
        train=shuffled.chosen(rest).take(config.train_images),
        validation=shuffled.chosen(validation),
        test=test.take(config.test_images),
        split="random" if shuffled.groups is None else "grouped",
    )
