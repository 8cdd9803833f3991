"""Images brought to a task's shape."""

import numpy as np
import pytest

from tinycerb.datasets.fit_shape import fit_shape
from tinycerb.errors import UsageError

IMAGES = np.random.default_rng(1).integers(0, 256, (6, 16, 12, 3), dtype=np.uint8)


def test_images_that_fit_stay_as_they_are() -> None:
    assert fit_shape(IMAGES, (16, 12, 3), "here") is IMAGES
    five = np.zeros((2, 8, 8, 5), np.uint8)
    assert fit_shape(five, (8, 8, 5), "here") is five


@pytest.mark.parametrize("shape", [(8, 8, 3), (32, 20, 3), (8, 6, 1), (16, 12, 1)])
def test_every_image_keeps_its_mean(shape: tuple[int, ...]) -> None:
    fitted = fit_shape(IMAGES, shape, "here")
    assert fitted.shape == (6, *shape)
    weights = np.array([0.299, 0.587, 0.114]) if shape[2] == 1 else np.ones(3) / 3
    wanted = IMAGES.mean(axis=(1, 2)) @ weights
    assert np.abs(fitted.mean(axis=(1, 2, 3)) - wanted).max() < 4


def test_grey_becomes_three_equal_channels() -> None:
    fitted = fit_shape(IMAGES[..., :1], (16, 12, 3), "here")
    assert (fitted == IMAGES[..., :1]).all()


@pytest.mark.parametrize(("channels", "shape"), [(4, (16, 12, 3)), (3, (16, 12, 2)), (5, (8, 8, 5))])
def test_channels_without_a_rule_are_refused(channels: int, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=f"pool.npz has images of {channels} channels"):
        fit_shape(np.zeros((2, 16, 12, channels), np.uint8), shape, "pool.npz")
