"""The defender's own images."""

import numpy as np
import pytest

from tinycerb.datasets.images import image_fingerprints
from tinycerb.datasets.procedural import FAMILIES, generate
from tinycerb.datasets.query_pools import load_animal_mnist
from tinycerb.errors import UsageError

TRAIN = np.random.default_rng(0).integers(0, 256, (50, 28, 28, 1), dtype=np.uint8)


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 40, 3)])
def test_every_family_draws_varied_images_of_any_shape(family: str, shape: tuple[int, ...]) -> None:
    train = np.random.default_rng(0).integers(0, 256, (20, *shape), dtype=np.uint8)
    images = generate([family], 64, train, seed=3)
    assert images.shape == (64, *shape)
    assert images.dtype == np.uint8
    assert len(np.unique(image_fingerprints(images))) >= 63
    # Neither empty nor full: a blank image teaches nothing.
    inked = (images > 40).reshape(64, -1).mean(axis=1)
    assert (inked > 0.01).mean() > 0.95
    assert images.std() > 20


def test_the_seed_decides_and_shares_are_even() -> None:
    families = ["silhouettes", "strokes", "patch_shuffle"]
    first, again, other = (generate(families, 100, TRAIN, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert len(first) == 100


def test_patch_shuffle_keeps_the_pixels_and_moves_them() -> None:
    images = generate(["patch_shuffle"], 30, TRAIN, seed=1)
    originals = {tuple(np.sort(image, axis=None)) for image in TRAIN}
    assert all(tuple(np.sort(image, axis=None)) in originals for image in images)
    assert not np.isin(image_fingerprints(images), image_fingerprints(TRAIN)).any()


def test_drifts_lean_towards_training_images_by_a_small_step() -> None:
    towards_black, towards_white = (
        generate(["drifts"], 60, np.full_like(TRAIN, level), seed=1).astype(int) for level in (0, 255)
    )
    gap = towards_white - towards_black
    assert gap.min() >= 0
    assert gap.max() <= round(2 * 0.25 * 255) + 1
    assert (gap.max(axis=(1, 2, 3)) >= round(2 * 0.05 * 255) - 1).mean() > 0.9


def test_warps_show_pixels_of_one_training_image_elsewhere() -> None:
    flat = np.repeat(np.arange(50, dtype=np.uint8)[:, np.newaxis] * 5, 784, axis=1).reshape(TRAIN.shape)
    assert all(len(np.unique(image)) == 1 for image in generate(["warps"], 30, flat, seed=1))
    assert not np.isin(image_fingerprints(generate(["warps"], 30, TRAIN, seed=1)), image_fingerprints(TRAIN)).any()


def test_shades_are_bodies_on_black_of_every_brightness() -> None:
    images = generate(["shades"], 300, TRAIN, seed=1)
    assert np.median((images > 20).mean(axis=(1, 2, 3))) < 0.5
    levels = np.array([np.median(image[image > 20]) for image in images if (image > 20).any()])
    assert np.quantile(levels, 0.1) < 110
    assert np.quantile(levels, 0.9) > 170


COLOURED = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), dtype=np.uint8)


def test_jigsaws_of_fitting_pieces_keep_the_pixels_and_move_them() -> None:
    # 24 is a multiple of most numbers of pieces, and of 5 and 7 not.
    own = np.random.default_rng(0).integers(0, 256, (1, 24, 24, 3), dtype=np.uint8)
    images = generate(["jigsaws"], 60, own, seed=1)
    colours = np.sort(own.reshape(-1, 3), axis=0)
    kept = [np.array_equal(np.sort(image.reshape(-1, 3), axis=0), colours) for image in images]
    assert 0.4 < np.mean(kept) < 0.9
    assert not (images == own).all(axis=(1, 2, 3)).any()


def test_phases_keep_the_amplitudes_and_move_all_channels_alike() -> None:
    # Around a middle grey, so that little is cut off.
    own = (COLOURED[:1] // 8 + 112).astype(np.uint8)
    before, after = (np.fft.rfft2(each.astype(float), axes=(1, 2)) for each in (own, generate(["phases"], 20, own, 1)))
    assert np.abs(after).mean(axis=0) == pytest.approx(np.abs(before[0]), rel=0.2, abs=40)
    inside = np.s_[:, 1:16, 1:16]
    moved = np.angle(after / before)[inside]
    assert np.abs(np.angle(np.exp(1j * (moved[..., 0] - moved[..., 1])))).mean() < 0.15
    assert np.abs(moved).mean() == pytest.approx(np.pi / 2, abs=0.2)


@pytest.mark.parametrize("family", ["collages", "jigsaws", "tilings"])
def test_pieces_of_own_images_have_their_colours_alone(family: str) -> None:
    levels = np.array([[250, 20, 90], [10, 200, 130], [60, 60, 240]], np.uint8)
    own = np.broadcast_to(levels[:, np.newaxis, np.newaxis], (3, 32, 32, 3)).copy()
    seen = {tuple(colour) for colour in generate([family], 40, own, seed=1).reshape(-1, 3).tolist()}
    assert seen == {tuple(colour) for colour in levels.tolist()}


def test_lights_have_colours_that_no_own_image_has() -> None:
    grey = np.repeat(COLOURED[..., :1], 3, axis=3)
    images = generate(["lights"], 60, grey, seed=1).astype(int)
    assert (np.ptp(images, axis=3).mean(axis=(1, 2)) > 20).mean() > 0.8


def test_cut_outs_leave_a_ground_that_is_plain_or_smooth() -> None:
    images = generate(["cut_outs"], 60, COLOURED, seed=1).astype(float)
    rough = np.abs(np.diff(images, axis=2)).mean(axis=3)
    # Own images here are noise: steps of 85 on the average. The ground has next to none.
    assert (np.quantile(rough, 0.25, axis=(1, 2)) < 8).mean() > 0.9
    assert (np.quantile(rough, 0.97, axis=(1, 2)) > 40).mean() > 0.9


def test_no_image_is_an_attackers() -> None:
    images = generate(list(FAMILIES), 2000, TRAIN, seed=1)
    assert not np.isin(image_fingerprints(images), image_fingerprints(load_animal_mnist())).any()


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(UsageError, match="did you mean 'strokes'"):
        generate(["stroke"], 10, TRAIN, seed=1)
