"""Copies that an attacker makes of its images: other questions about the same things."""

import numpy as np
import pytest

from tinycerb.bench.cell import digest_questions, load_pool, threat_class
from tinycerb.config import AttackConfig, DataConfig
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import image_fingerprints
from tinycerb.datasets.query_pools import load_animal_mnist
from tinycerb.datasets.variations import vary, with_copies
from tinycerb.errors import UsageError


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (20, 36, 2)])
def test_copies_are_repeatable_and_of_any_shape(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, *shape), np.uint8)
    copies = vary(images, 3)
    assert copies.shape == images.shape
    assert copies.dtype == np.uint8
    assert (copies == vary(images, 3)).all()
    assert not np.isin(image_fingerprints(copies), image_fingerprints(vary(images, 4))).any()


def test_a_copy_shows_the_same_thing_elsewhere_and_darker() -> None:
    images = load_animal_mnist()[:2000]
    copies = vary(images, 0)
    changed = np.abs(copies.astype(float) - images).mean(axis=(1, 2, 3))
    assert (changed > 5).mean() > 0.98
    # Its size and grey are about the animal's, not those of a blank or of noise.
    lit = (copies > 20).mean(axis=(1, 2, 3)) / (images > 20).mean(axis=(1, 2, 3))
    assert 0.4 < np.median(lit) < 1.6
    assert 0.4 < copies[copies > 20].mean() / images[images > 20].mean() < 0.9


def test_channels_are_bent_alike() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (10, 24, 24, 1), np.uint8)
    copies = vary(np.repeat(grey, 3, axis=3), 0)
    assert (copies[..., :1] == copies).all()


def test_the_originals_come_first_and_nothing_twice() -> None:
    images = np.concatenate([np.zeros((2, 28, 28, 1), np.uint8), load_animal_mnist()[:300]])
    everything = with_copies(images, 2)
    # One of two black images is left, and a black image's copies are black, too.
    assert len(everything) == 1 + 3 * 300
    assert len(np.unique(image_fingerprints(everything))) == len(everything)
    assert (everything[1:301] == images[2:]).all()
    assert with_copies(images[:0], 2).shape == (0, 28, 28, 1)
    assert with_copies(images, 0) is images


def test_an_attack_asks_copies_like_any_other_image() -> None:
    dataset = load_dataset(DataConfig(validation_images=500))
    plain, varied = AttackConfig("a"), AttackConfig("b", pool_copies=1)
    assert len(load_pool(plain, dataset)) == 9716
    assert 19_000 < len(load_pool(varied, dataset)) <= 2 * 9716
    assert digest_questions(plain, dataset, 1) != digest_questions(varied, dataset, 1)
    assert threat_class(varied) == "T1"
    with pytest.raises(UsageError, match=r"pool_copies is -1; allowed: 0 to 100"):
        AttackConfig("c", pool_copies=-1)
