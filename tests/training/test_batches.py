"""The order of images."""

import numpy as np

from tinycerb.training.batches import Batches


def test_an_epoch_is_a_function_of_seed_stage_and_number() -> None:
    batches = Batches(100, 8, 50, 4, seed=1)
    first, again = list(batches.epoch("float", 3)), list(batches.epoch("float", 3))
    assert len(first) == batches.steps == 12
    assert all((a == c).all() and (b == d).all() for (a, b), (c, d) in zip(first, again, strict=True))
    for other in (batches.epoch("float", 4), batches.epoch("quantize", 3), Batches(100, 8, 50, 4, 2).epoch("float", 3)):
        assert any((a != c).any() for (a, _), (c, _) in zip(first, other, strict=True))


def test_no_image_comes_twice_in_an_epoch() -> None:
    indices = np.concatenate([batch for batch, _ in Batches(100, 8, 50, 4, seed=1).epoch("float", 0)])
    assert len(np.unique(indices)) == len(indices) == 96


def test_without_other_images_there_are_none() -> None:
    assert all(len(other) == 0 for _, other in Batches(20, 8, 0, 4, seed=1).epoch("float", 0))


def test_a_batch_is_never_larger_than_the_data() -> None:
    assert Batches(5, 8, 0, 4, seed=1).steps == 1
