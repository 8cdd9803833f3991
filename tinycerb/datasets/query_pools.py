"""Where an attacker's images come from."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from tinycerb.advice.install import install_command, reinstall_command
from tinycerb.config.user_sources import IN_DISTRIBUTION, NO_POOL, is_reference, is_source
from tinycerb.datasets.array_pickle import read_array_pickle
from tinycerb.datasets.fetched import load_fetched
from tinycerb.datasets.fit_shape import fit_shape
from tinycerb.datasets.images import Dataset, LabelledImages, digest_arrays, image_fingerprints
from tinycerb.datasets.procedural import FAMILIES, generate
from tinycerb.datasets.tiny_imagenet_classes import labels_of
from tinycerb.datasets.user_data import load_user_pool
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.registry import Registry

DRAWN = "drawn-"
DRAWN_IMAGES = 10_000
# Seeds of training and of leak measurements end far below.
_DRAWN_SEED = 900_000
ANIMAL_MNIST = "animal-mnist"
TINY_IMAGENET = "tiny_imagenet"


@dataclass(frozen=True)
class QueryPool:
    """Images that an attacker may send.

    Attributes:
        load: from the victim's data set to uint8 [N, height, width, channels], all distinct.
        threat_class: `T1` for images of another kind, `T2` for images of the victim's own kind.
        description: one line for reports.
        labelled: from height, width and channels to its images with their labels, for students that are pretrained on
            them; None for a pool without labels.
    """

    load: Callable[[Dataset], np.ndarray]
    threat_class: str
    description: str
    labelled: Callable[[tuple[int, ...]], LabelledImages] | None = None


QUERY_POOLS: Registry[QueryPool] = Registry("query pool", ("load", "threat_class", "description"))


def animal_mnist_folder() -> Path | None:
    """Returns where the package keeps its files, without importing it (its loader would import Keras 3)."""
    spec = importlib.util.find_spec("animal_mnist")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "data" / "Animal_MNIST"


@lru_cache(maxsize=2)
def load_animal_mnist(folder: Path | None = None) -> np.ndarray:
    """Loads the distinct images of Animal-MNIST 0.4, white animal shapes on black (MIT licence).

    Args:
        folder: where its files are; by default, inside the installed package.

    Returns:
        uint8 [9716, 28, 28, 1] in a fixed order.

    Raises:
        EnvironmentProblem: not installed, or corrupt.
    """
    folder = folder or animal_mnist_folder()
    if folder is None:
        raise EnvironmentProblem(f"Animal-MNIST is not installed; install it with: {install_command(ANIMAL_MNIST)}")
    path = folder / "animal_data_version_3.gz"
    images = read_array_pickle(path, reinstall_command(ANIMAL_MNIST))
    if images.size != 10000 * 28 * 28 or images.min() < 0 or images.max() > 255:
        raise EnvironmentProblem(f"{path} has the shape {images.shape}; expected 10000 images of 28x28 in 0..255")
    return np.unique(images.reshape(10000, 28, 28, 1).astype(np.uint8), axis=0)


def _animal_mnist(dataset: Dataset) -> np.ndarray:
    images = load_animal_mnist()
    if dataset.image_shape != images.shape[1:]:
        raise UsageError(
            f"the pool animal_mnist has images of {_shape(images.shape[1:])}, the victim takes "
            f"{_shape(dataset.image_shape)}; choose another query_pool: {', '.join(QUERY_POOLS)}, or images of your own"
        )
    return images


def _in_distribution(dataset: Dataset) -> np.ndarray:
    # Validation images: no victim has trained on them, and no attack is measured on them.
    return np.unique(dataset.validation.images, axis=0)


def _nothing(dataset: Dataset) -> np.ndarray:
    return np.empty((0, *dataset.image_shape), np.uint8)


QUERY_POOLS.register(NO_POOL)(QueryPool(_nothing, "T1", "no images: the attacker makes its questions up"))
QUERY_POOLS.register("animal_mnist")(
    QueryPool(_animal_mnist, "T1", "Animal-MNIST: shapes of animals, all distinct images")
)
QUERY_POOLS.register(IN_DISTRIBUTION)(
    QueryPool(_in_distribution, "T2", "unlabelled images of the victim's own kind, none of its training images")
)


def _register_photographs(name: str, threat_class: str, part: Mapping[str, str], which: str) -> None:
    description = f"Tiny ImageNet, {which}: photographs of {len(labels_of(part))} classes, brought to the task's shape"
    load = partial(_photographs, f"{TINY_IMAGENET}_{name}", tuple(part.items()))
    labelled = partial(_labelled_photographs, tuple(part.items()))
    QUERY_POOLS.register(f"{TINY_IMAGENET}_{name}")(QueryPool(load, threat_class, description, labelled))


def _photographs(name: str, part: tuple[tuple[str, str], ...], dataset: Dataset) -> np.ndarray:
    images = _distinct_photographs(part, dataset.image_shape)
    _require_not_own(images, dataset, name)
    return images


@lru_cache(maxsize=2)
def _distinct_photographs(part: tuple[tuple[str, str], ...], shape: tuple[int, ...]) -> np.ndarray:
    return np.unique(_fitted_photographs(part, shape).images, axis=0)


@lru_cache(maxsize=2)
def _labelled_photographs(part: tuple[tuple[str, str], ...], shape: tuple[int, ...]) -> LabelledImages:
    photographs = _fitted_photographs(part, shape)
    labels = np.unique(photographs.labels, return_inverse=True)[1].astype(np.int32)
    return LabelledImages(photographs.images, labels)


def _fitted_photographs(part: tuple[tuple[str, str], ...], shape: tuple[int, ...]) -> LabelledImages:
    train, _ = load_fetched(TINY_IMAGENET)
    chosen = train.chosen(np.isin(train.labels, labels_of(dict(part))))
    return LabelledImages(fit_shape(chosen.images, shape, TINY_IMAGENET), chosen.labels)


_register_photographs("attacker", "T1", {"half": "attacker"}, "the attacker's half")
_register_photographs("defender", "T1", {"half": "defender"}, "the defender's half")
# Whoever has seen images of the victim's kind is T2, whatever else they have.
_register_photographs("own_kind", "T2", {"own_kind": "cifar10"}, "CIFAR-10's own kinds")
_register_photographs("own_kind_fashion", "T2", {"own_kind": "fashion_mnist"}, "Fashion-MNIST's own kinds")
_register_photographs("all", "T2", {}, "all of it")


def query_pool(name: str) -> QueryPool:
    """Returns a registered pool by its name, or a user's pool by its source, which counts as T1.

    `drawn-FAMILY[+FAMILY...]` is 10,000 images of procedural families: for choosing between defences without
    touching a pool that is to judge them.

    Raises:
        UsageError: unknown name.
    """
    if name.startswith(DRAWN):
        return _drawn_pool(name.removeprefix(DRAWN).split("+"))
    if name in QUERY_POOLS or not is_source(name):
        return QUERY_POOLS[name]
    described = name if is_reference(name) else Path(name).name
    return QueryPool(partial(_user_pool, name), "T1", f"{described}, all distinct images")


def labelled_images(name: str, shape: tuple[int, ...]) -> LabelledImages:
    """Returns the images of a registered pool with their labels, 0 to classes - 1, in a fixed order.

    Args:
        name: the pool's.
        shape: height, width and channels that they are brought to.

    Raises:
        UsageError: unknown name, or a pool without labels.
        EnvironmentProblem: the images are not here; the message says how to fetch them.
    """
    return _source_of_labels(name)(shape)


def require_labels(name: str) -> None:
    """Raises a UsageError unless a pool of this name has labels; no image is read."""
    _source_of_labels(name)


def _source_of_labels(name: str) -> Callable[[tuple[int, ...]], LabelledImages]:
    found = query_pool(name).labelled
    if found is None:
        allowed = ", ".join(each for each in QUERY_POOLS if QUERY_POOLS[each].labelled is not None)
        raise UsageError(f"the pool {name} has no labels to pretrain a student on; allowed: {allowed}")
    return found


def digest_labelled(name: str, dataset: Dataset) -> str:
    """Returns the digest of a pool's labelled images in the shape of a task.

    Raises:
        UsageError: as `labelled_images`, or some of them are the victim's own.
        EnvironmentProblem: they are not here.
    """
    found = labelled_images(name, dataset.image_shape)
    _require_not_own(found.images, dataset, name)
    return digest_arrays(found.images, found.labels)


def _drawn_pool(families: list[str]) -> QueryPool:
    for family in families:
        FAMILIES[family]

    def load(dataset: Dataset) -> np.ndarray:
        return np.unique(generate(families, DRAWN_IMAGES, dataset.train.images, _DRAWN_SEED), axis=0)

    return QueryPool(load, "T1", f"{', '.join(families)}: images that programs draw")


def _user_pool(source: str, dataset: Dataset) -> np.ndarray:
    images = load_user_pool(source)
    if images.shape[1:] != dataset.image_shape:
        raise UsageError(
            f"the query pool {source} has images of {_shape(images.shape[1:])}, the victim takes "
            f"{_shape(dataset.image_shape)} (height x width x channels); bring them to that shape"
        )
    _require_not_own(images, dataset, source)
    return images


def _require_not_own(images: np.ndarray, dataset: Dataset, source: str) -> None:
    own = (dataset.train.images, dataset.validation.images, dataset.test.images)
    shared = np.isin(image_fingerprints(images), np.concatenate([image_fingerprints(part) for part in own]))
    if shared.any():
        raise UsageError(
            f"{int(shared.sum())} of the {len(images)} images of the query pool {source} are also the victim's own; "
            f"leave them out; for an attacker who has images of the victim's kind use query_pool = "
            f"{IN_DISTRIBUTION!r}"
        )


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
