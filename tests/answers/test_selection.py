"""Head selection."""

import hashlib

import numpy as np
import pytest

from tinycerb.answers.keyed_selection import _draw, coarse_views, siphash
from tinycerb.answers.selection import HEAD_SELECTIONS, simulated_device
from tinycerb.errors import UsageError


def test_random_heads_are_even() -> None:
    heads = HEAD_SELECTIONS["random"](np.zeros((30_000, 1), np.int8), 3, simulated_device(1))
    # Chi-square with two degrees of freedom stays below this 999 times of 1000.
    assert ((np.bincount(heads, minlength=3) - 10_000) ** 2 / 10_000).sum() < 13.8


def test_fixed_is_head_zero() -> None:
    assert not HEAD_SELECTIONS["fixed"](np.zeros((5, 1), np.int8), 3, simulated_device(1)).any()


@pytest.mark.parametrize("name", ["random", "seeded"])
def test_draws_of_an_evaluation_can_be_repeated(name: str) -> None:
    first, again = (HEAD_SELECTIONS[name](np.zeros((60, 1)), 3, simulated_device(5)) for _ in range(2))
    assert (first == again).all()


def test_a_power_cycle_starts_a_constant_seed_again_and_no_true_randomness() -> None:
    """The constant seed is that of all devices; true randomness is each one's own, and goes on."""
    images, one, other = np.zeros((60, 1)), simulated_device(1), simulated_device(2)
    draws = [HEAD_SELECTIONS["seeded"](images, 3, device) for device in (one, other, one, one.power_cycled())]
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()
    assert (draws[0] == draws[3]).all()
    random = [HEAD_SELECTIONS["random"](images, 3, device) for device in (one, other, one.power_cycled())]
    assert (random[0] != random[1]).any()
    assert (random[0] != random[2]).any()


def test_unknown_selection_lists_the_known() -> None:
    with pytest.raises(UsageError, match="known: coarse_keyed, fixed, keyed, random"):
        HEAD_SELECTIONS["rondom"]


@pytest.mark.parametrize("name", ["keyed", "coarse_keyed"])
def test_keyed_heads_follow_image_and_secret(name: str) -> None:
    images = np.random.default_rng(0).integers(-128, 128, (3000, 8, 8, 1), dtype=np.int8)
    first = HEAD_SELECTIONS[name](images, 3, simulated_device(1))
    assert (HEAD_SELECTIONS[name](images, 3, simulated_device(1)) == first).all()
    assert 0.5 < (HEAD_SELECTIONS[name](images, 3, simulated_device(2)) != first).mean() < 0.8
    assert set(first) == {0, 1, 2}


def test_small_changes_draw_again_under_keyed_and_seldom_under_coarse_keyed() -> None:
    images = np.random.default_rng(0).integers(-100, 100, (2000, 16, 16, 1), dtype=np.int8)
    jittered = images + np.random.default_rng(1).integers(-1, 2, images.shape, dtype=np.int8)
    changed = {
        name: (HEAD_SELECTIONS[name](images, 3, device) != HEAD_SELECTIONS[name](jittered, 3, device)).mean()
        for name in ("keyed", "coarse_keyed")
        for device in [simulated_device(1)]
    }
    assert changed["keyed"] > 0.5
    assert changed["coarse_keyed"] < changed["keyed"] / 4


def test_a_simulated_device_is_the_same_in_every_release() -> None:
    """Cells of other releases can be compared only with the draws that they met."""
    device = simulated_device(7)
    assert device.secret == hashlib.sha256(b"secret of device 7").digest()[:16]
    assert device.rng.integers(0, 1000, 5).tolist() == np.random.default_rng(7).integers(0, 1000, 5).tolist()
    constant = np.random.default_rng(1).integers(0, 1000, 10).tolist()
    assert device.constant.integers(0, 1000, 10).tolist() == constant
    cycled = device.power_cycled()
    assert cycled.constant.integers(0, 1000, 10).tolist() == constant
    assert (cycled.secret, cycled.rng) == (device.secret, device.rng)


def test_a_digest_draws_with_its_low_word_then_its_high_word_then_hashed_again() -> None:
    """Of three heads: thirds of 2^32 to the last bit; the word 0 alone is refused, for 2^32 mod 3 is 1."""
    secret = bytes(range(16))
    words = [0x55555555, 0x55555556, 0xAAAAAAAA, 0xAAAAAAAB, 0xFFFFFFFF, 0xAAAAAAAB << 32, 0x55555556 << 32 | 1]
    assert _draw(np.array(words, np.uint64), 3, secret).tolist() == [0, 1, 1, 2, 2, 2, 0]
    again = siphash(secret, np.zeros((1, 8), np.uint8))
    alone = _draw(again, 3, secret)[0]
    # Beside digests that need no second draw, which must keep theirs.
    others = [(alone + 1) % 3 * 0x55555556 + 1, (alone + 2) % 3 * 0x55555556 + 1]
    drawn = _draw(np.array([others[0], 0, others[1]], np.uint64), 3, secret).tolist()
    assert drawn == [(alone + 1) % 3, alone, (alone + 2) % 3]
    assert alone == (int(again[0]) & 0xFFFFFFFF) * 3 >> 32


def test_a_coarse_view_by_hand() -> None:
    """Of 40 numbers the sixteenths have 2, 3, 2, 3, ...: they end at 2, 5, 7, 10, ...; equal is not brighter."""
    image = np.zeros(40, np.int8)
    image[[0, 4, 39]] = 10, 10, -20
    assert coarse_views(image[np.newaxis]).tolist() == [0b11]
    image[[0, 4, 39]] = 1, 4, 11
    # The mean is 0.4: sums of 1, 4 and 11 over 2, 3 and 3.
    assert coarse_views(image[np.newaxis]).tolist() == [1 << 15 | 0b11]
    image[[0, 4, 39]] = 0, 1, 0
    assert coarse_views(np.stack([image, np.full(40, -128, np.int8)])).tolist() == [0b10, 0]
