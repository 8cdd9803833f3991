"""The defender's images off the task: drawn by programs and, where there are any, pictures of the defender's own.

A defence that was trained on an attacker's very images would pass for one that holds against all others. So no picture
is used that an attacker of the run has, or that is the task's own.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from tinycerb.config import Config, OutOfDistributionConfig
from tinycerb.config.user_sources import NO_POOL, is_reference, is_source
from tinycerb.datasets.arrays import as_images
from tinycerb.datasets.brought import describe_arrays
from tinycerb.datasets.fit_shape import fit_shape
from tinycerb.datasets.image_folder import pictures_in
from tinycerb.datasets.images import Dataset, image_fingerprints
from tinycerb.datasets.pictures import ENDINGS, read_pictures
from tinycerb.datasets.procedural import generate
from tinycerb.datasets.query_pools import QUERY_POOLS, query_pool
from tinycerb.datasets.user_data import UserPool, read_source
from tinycerb.errors import UsageError


@dataclass(frozen=True)
class SourceUse:
    """What became of a source.

    Attributes:
        source: as the configuration names it.
        images: how many of its images are trained on.
        distinct: how many different ones it holds, brought to the task's shape.
        shared: how many of these are left out: an attacker of the run has them, or the task's own data do.
    """

    source: str
    images: int
    distinct: int
    shared: int

    def __str__(self) -> str:
        left_out = f"; {self.shared:,} of {self.distinct:,}, an attacker's or the task's own, left out"
        return f"{self.images:,} of {short_name(self.source)}{left_out if self.shared else ''}"


@dataclass(frozen=True)
class OutOfDistributionImages:
    """Images off the task.

    Attributes:
        images: uint8 [N, height, width, channels].
        sources: what became of each source; none where programs draw everything.
    """

    images: np.ndarray
    sources: tuple[SourceUse, ...] = ()


def short_name(source: str) -> str:
    """Returns what reports call a source: a path's last part, else the source."""
    return source if is_reference(source) or not is_source(source) else Path(source).name


def out_of_distribution_images(config: Config, dataset: Dataset) -> OutOfDistributionImages:
    """Returns the images that `[out_of_distribution]` asks for; the same configuration and data give the same ones.

    A source gives its share, or as many images as it has, none twice; families draw the rest.

    Raises:
        UsageError: a source does not fit.
        EnvironmentProblem: it is missing or corrupt.
    """
    wanted = config.out_of_distribution
    chosen = choose_pictures(config, dataset)
    rest = wanted.images - sum(len(images) for _, images in chosen)
    drawn = [generate(wanted.families, rest, dataset.train.images, config.seed)] if rest else []
    if not chosen:
        return OutOfDistributionImages(drawn[0])
    together = np.concatenate([*drawn, *(images for _, images in chosen)])
    order = np.random.default_rng([config.seed, len(chosen), 17])
    return OutOfDistributionImages(order.permutation(together), tuple(use for use, _ in chosen))


def choose_pictures(config: Config, dataset: Dataset) -> list[tuple[SourceUse, np.ndarray]]:
    """Chooses the pictures of every source; takes and raises as `out_of_distribution_images`.

    Returns:
        For each source what became of it and its images, uint8 [M, height, width, channels].
    """
    wanted = config.out_of_distribution
    if not wanted.sources:
        return []
    refused = _others_images(config, dataset)
    chosen = []
    for index, (source, share) in enumerate(zip(wanted.sources, shares_of(wanted), strict=True)):
        images = _distinct(open_pictures(source, dataset))
        fingerprints = image_fingerprints(images)
        # What an earlier source has given counts as used, too.
        free = images[~np.isin(fingerprints, refused)]
        if not len(free):
            raise UsageError(
                f"out_of_distribution.sources: all {len(images):,} images of {source} are an attacker's, the task's "
                "own, or another source's; name pictures that nobody else has"
            )
        order = np.random.default_rng([config.seed, index, 18]).permutation(len(free))
        taken = free[order[: round(share * wanted.images)]]
        refused = np.concatenate([refused, image_fingerprints(taken)])
        chosen.append((SourceUse(source, len(taken), len(images), len(images) - len(free)), taken))
    return chosen


def shares_of(wanted: OutOfDistributionConfig) -> tuple[float, ...]:
    """Returns the share of every source: as configured, or as much as one family has."""
    return wanted.shares or (1 / (len(wanted.sources) + len(wanted.families)),) * len(wanted.sources)


def open_pictures(source: str, dataset: Dataset) -> UserPool:
    """Loads a source, brought to the task's shape.

    Args:
        source: a `.npz` file with `images`, a folder of pictures of any size, `package.module:load`, or a registered
            query pool of threat class T1.
        dataset: the task's data.

    Raises:
        UsageError: what is there does not fit, or shows the task's own kind.
        EnvironmentProblem: it is missing or corrupt.
    """
    if is_source(source):
        return _open_pictures(source, dataset.image_shape)
    pool = query_pool(source)
    if pool.threat_class != "T1" or source == NO_POOL:
        fitting = [name for name in QUERY_POOLS if QUERY_POOLS[name].threat_class == "T1" and name != NO_POOL]
        raise UsageError(
            f"out_of_distribution.sources names {source!r} ({pool.description}), which is no pool of another kind; "
            f"allowed: {', '.join(fitting)}, or pictures of your own"
        )
    return UserPool(pool.load(dataset), ())


@lru_cache(maxsize=4)
def _open_pictures(source: str, shape: tuple[int, ...]) -> UserPool:
    if not is_reference(source) and Path(source).is_dir():
        return _open_folder(Path(source), shape)
    brought = read_source(source, labelled=False)
    key = "images" if "images" in brought.arrays else next(iter(brought.arrays), "")
    if key != "images" and len(brought.arrays) != 1:
        raise UsageError(f"{source} holds {', '.join(sorted(brought.arrays)) or 'nothing'}; allowed: images")
    images = fit_shape(as_images(brought.arrays[key], f"{key} of {source}"), shape, source)
    unused = describe_arrays(brought.arrays, frozenset((key,)))
    return UserPool(images, (*brought.left_out, *unused))


def _open_folder(folder: Path, shape: tuple[int, ...]) -> UserPool:
    """Reads pictures one by one: they may differ in size, and only the small ones that they become are kept."""
    files = pictures_in(folder)
    if not files:
        raise UsageError(f"{folder} has no images; allowed: {', '.join(ENDINGS)}")
    parts, lost = [], Counter[str]()
    for path in files:
        picture, of_it = read_pictures([path])
        parts.append(fit_shape(picture, shape, str(path)))
        lost.update(text.partition(" of ")[0] for text in of_it)
    left_out = (f"{what} of {count:,} of {len(files):,} pictures" for what, count in lost.items())
    return UserPool(np.concatenate(parts), tuple(left_out))


def _distinct(pictures: UserPool) -> np.ndarray:
    return np.unique(pictures.images, axis=0)


def _others_images(config: Config, dataset: Dataset) -> np.ndarray:
    """Fingerprints of the task's own images, and of all that the run's attackers have, uint64 [N]."""
    pools = dict.fromkeys(attack.query_pool for attack in config.attacks)
    asked = [query_pool(name).load(dataset) for name in pools]
    parts = [dataset.train.images, dataset.validation.images, dataset.test.images, *asked]
    return np.concatenate([image_fingerprints(part) for part in parts if len(part)])
