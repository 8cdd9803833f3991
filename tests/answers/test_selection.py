"""Head selection."""

import numpy as np
import pytest

from tinycerb.answers.selection import HEAD_SELECTIONS, simulated_device
from tinycerb.errors import UsageError


def test_random_heads_are_even() -> None:
    from scipy.stats import chisquare

    heads = HEAD_SELECTIONS["random"](np.zeros((30_000, 1), np.int8), 3, simulated_device(1))
    assert chisquare(np.bincount(heads, minlength=3)).pvalue > 0.001


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
