"""The attacker's images, from a pickle that must not be trusted."""

import gzip
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from tinycerb.config import DataConfig
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import image_fingerprints
from tinycerb.datasets.procedural import generate
from tinycerb.datasets.query_pools import QUERY_POOLS, animal_mnist_folder, load_animal_mnist, query_pool
from tinycerb.errors import EnvironmentProblem, UsageError

FILE = "animal_data_version_3.gz"


def test_all_distinct_animals() -> None:
    images = load_animal_mnist()
    assert images.shape == (9716, 28, 28, 1)
    assert images.dtype == np.uint8
    assert len(np.unique(image_fingerprints(images))) == 9716


class Payload:
    """Runs a command when a careless reader unpickles it."""

    def __reduce__(self):
        return os.system, ("touch /tmp/tinycerb-payload-ran",)


@pytest.mark.parametrize("content", [Payload(), {"a": 1}, [object()], np.array(["text"])])
def test_anything_but_numbers_is_refused(tmp_path: Path, content: object) -> None:
    (tmp_path / FILE).write_bytes(gzip.compress(pickle.dumps(content)))
    with pytest.raises(EnvironmentProblem, match="mend it with"):
        load_animal_mnist(tmp_path)
    assert not Path("/tmp/tinycerb-payload-ran").exists()


@pytest.mark.parametrize("keep", [0, 100, 10_000])
def test_a_truncated_file_is_named(tmp_path: Path, keep: int) -> None:
    folder = animal_mnist_folder()
    assert folder is not None
    (tmp_path / FILE).write_bytes((folder / FILE).read_bytes()[:keep])
    with pytest.raises(EnvironmentProblem, match=FILE.replace(".", r"\.")):
        load_animal_mnist(tmp_path)


def test_an_array_of_the_wrong_size(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(gzip.compress(pickle.dumps(np.zeros((5, 28, 28), np.uint8))))
    with pytest.raises(EnvironmentProblem, match="expected 10000 images"):
        load_animal_mnist(tmp_path)


def test_in_distribution_images_are_no_training_or_test_images() -> None:
    dataset = load_dataset(DataConfig(validation_images=500))
    pool = image_fingerprints(QUERY_POOLS["in_distribution"].load(dataset))
    assert not np.isin(pool, image_fingerprints(dataset.train.images)).any()
    assert not np.isin(pool, image_fingerprints(dataset.test.images)).any()


def test_a_drawn_pool_is_of_no_image_that_a_defender_trains_on() -> None:
    dataset = load_dataset(DataConfig(validation_images=500))
    pool = query_pool("drawn-glyphs+dead_leaves")
    images = pool.load(dataset)
    assert pool.threat_class == "T1"
    assert 9000 < len(images) <= 10_000
    defenders = generate(["glyphs", "dead_leaves"], 2000, dataset.train.images, 1)
    assert not np.isin(image_fingerprints(images), image_fingerprints(defenders)).any()


def test_a_drawn_pool_of_an_unknown_family_is_named() -> None:
    with pytest.raises(UsageError, match=r"unknown .*glyps.*glyphs"):
        query_pool("drawn-glyps")
