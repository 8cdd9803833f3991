"""Photographs as pools: which are of another kind, and which half they lie in."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tinycerb.bench.cell import threat_class
from tinycerb.config import AttackConfig
from tinycerb.datasets import query_pools
from tinycerb.datasets.images import Dataset, LabelledImages, image_fingerprints
from tinycerb.datasets.query_pools import query_pool
from tinycerb.datasets.tiny_imagenet_classes import labels_of, tiny_imagenet_classes
from tinycerb.errors import UsageError

ROOT = Path(__file__).parents[2]
NAMED = "bullfrog goose albatross Chihuahua tabby gazelle convertible moving van lifeboat gondola limousine"


def test_every_class_is_of_an_own_kind_or_in_one_half() -> None:
    classes = tiny_imagenet_classes()
    ids = [entry.id for entry in classes]
    assert len(ids) == len(set(ids)) == 200
    assert ids == sorted(ids), "labels follow the ids' order"
    assert all(bool(entry.own_kind) != bool(entry.half) for entry in classes)
    kinds = Counter(entry.own_kind or entry.half for entry in classes)
    assert kinds == {"attacker": 77, "defender": 76, "cifar10": 30, "fashion_mnist": 17}
    cifar = {entry.name for entry in classes if entry.own_kind == "cifar10"}
    assert {"moving van", *NAMED.replace("moving van ", "").split()} <= cifar


def test_no_parent_lies_in_both_halves() -> None:
    parents = {
        half: {parent for entry in tiny_imagenet_classes() if entry.half == half for parent in entry.parents}
        for half in ("attacker", "defender")
    }
    assert min(map(len, parents.values())) > 40
    assert parents["attacker"] & parents["defender"] == set()


def test_the_list_comes_with_the_package() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["tinycerb"]
    assert "datasets/*.toml" in data
    assert (ROOT / "tinycerb" / "datasets" / "tiny_imagenet_classes.toml").is_file()


@pytest.fixture
def photographs(monkeypatch: pytest.MonkeyPatch) -> Iterator[LabelledImages]:
    """Two photographs of each class, the first one twice."""
    query_pools._distinct_photographs.cache_clear()
    labels = np.repeat(np.arange(200), 2).astype(np.int32)
    images = np.random.default_rng(1).integers(0, 256, (400, 32, 32, 3), dtype=np.uint8)
    images[1] = images[0]
    found = LabelledImages(images, labels)
    monkeypatch.setattr(query_pools, "load_fetched", lambda name: (found, found))
    yield found
    query_pools._distinct_photographs.cache_clear()


def task(images: np.ndarray) -> Dataset:
    part = LabelledImages(images, np.zeros(len(images), np.int32))
    return Dataset("cifar10", "here", ("a", "b"), part, part, part)


@pytest.mark.parametrize(
    ("pool", "threat", "part"),
    [
        ("tiny_imagenet_attacker", "T1", {"half": "attacker"}),
        ("tiny_imagenet_defender", "T1", {"half": "defender"}),
        ("tiny_imagenet_own_kind", "T2", {"own_kind": "cifar10"}),
        ("tiny_imagenet_own_kind_fashion", "T2", {"own_kind": "fashion_mnist"}),
        ("tiny_imagenet_all", "T2", {}),
    ],
)
def test_a_pool_has_its_classes_and_its_threat_class(photographs, pool: str, threat: str, part: dict) -> None:
    assert threat_class(AttackConfig("a", query_pool=pool)) == threat
    assert f"{len(labels_of(part))} classes" in query_pool(pool).description
    images = query_pool(pool).load(task(np.zeros((5, 32, 32, 3), np.uint8)))
    wanted = photographs.images[np.isin(photographs.labels, labels_of(part))]
    assert set(image_fingerprints(images)) == set(image_fingerprints(wanted))
    assert len(np.unique(image_fingerprints(images))) == len(images)


def test_photographs_are_brought_to_the_tasks_shape(photographs) -> None:
    photographs.images[:] = np.array([200, 100, 0], np.uint8)
    images = query_pool("tiny_imagenet_attacker").load(task(np.zeros((5, 28, 20, 1), np.uint8)))
    assert images.shape == (1, 28, 20, 1)
    assert (images == round(0.299 * 200 + 0.587 * 100)).all()


def test_photographs_of_the_victims_own_are_refused(photographs) -> None:
    own = photographs.images[np.isin(photographs.labels, labels_of({"half": "attacker"}))][:3]
    with pytest.raises(UsageError, match=r"3 of the 154 images of the query pool tiny_imagenet_attacker are also"):
        query_pool("tiny_imagenet_attacker").load(task(own))
