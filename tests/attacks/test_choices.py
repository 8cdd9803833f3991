"""How attacks choose what to ask: uncertainty, k-centre, the bandit, rare classes. No network is trained."""

from itertools import combinations

import numpy as np
import pytest

from tests.attacks.attacker import POOL
from tinycerb.attacks.activethief import entropy_of, k_center, most_uncertain
from tinycerb.attacks.building_blocks.clusters import cluster
from tinycerb.attacks.jbda import Jbda, moved
from tinycerb.attacks.knockoff_adaptive import Bandit, Rewards, draw
from tinycerb.attacks.label_only import smoothed_labels
from tinycerb.attacks.s4l import with_turn_columns
from tinycerb.attacks.smoothing import shifted
from tinycerb.attacks.swiftthief_lite import nearest_first, rarest_class

RNG = np.random.default_rng(1)


def test_entropy_takes_the_most_uncertain_images() -> None:
    posteriors = np.array([[0.9, 0.1], [0.5, 0.5], [0.99, 0.01], [0.6, 0.4]])
    assert most_uncertain(posteriors, posteriors[:0], 2).tolist() == [1, 3]
    np.testing.assert_allclose(entropy_of(np.full((1, 4), 0.25)), np.log(4))
    assert entropy_of(np.eye(3)).max() == 0


@pytest.mark.parametrize("trial", range(5))
def test_k_center_is_at_most_twice_as_wide_as_the_best_choice(trial: int) -> None:
    points = np.random.default_rng(trial).normal(size=(11, 2))
    centers = np.random.default_rng([trial, 1]).normal(size=(1, 2))

    def radius(chosen) -> float:
        every = np.concatenate([centers, points[list(chosen)]])
        return np.linalg.norm(points[:, None] - every[None], axis=2).min(axis=1).max()

    chosen = k_center(points, centers, 3)
    assert len(set(chosen.tolist())) == 3
    assert radius(chosen) <= 2 * min(radius(three) for three in combinations(range(11), 3)) + 1e-12
    # The first is the farthest from what there is.
    assert chosen[0] == np.linalg.norm(points - centers, axis=1).argmax()


def test_k_center_never_takes_a_point_twice_where_points_coincide() -> None:
    assert sorted(k_center(np.zeros((5, 2)), np.zeros((1, 2)), 5)) == [0, 1, 2, 3, 4]


def test_the_bandit_prefers_the_rewarding_group() -> None:
    bandit, random = Bandit(5), np.random.default_rng(2)
    for _ in range(300):
        group = int(random.choice(5, p=bandit.policy()))
        bandit.learn(group, 1.0 + random.normal(0, 0.1) if group == 3 else random.normal(0, 0.1))
    assert bandit.policy().argmax() == 3
    assert bandit.policy()[3] > 0.4
    np.testing.assert_allclose(bandit.policy().sum(), 1)


def test_one_step_of_the_bandit_by_hand() -> None:
    """h_z + (r - mean) (1 - pi_z) / visits, h_other - (r - mean) pi_other / visits; the mean counts the reward."""
    bandit = Bandit(2)
    bandit.learn(0, 1.0)
    np.testing.assert_allclose(bandit.preferences, [0, 0])
    bandit.learn(1, 0.0)
    np.testing.assert_allclose(bandit.preferences, [0.25, -0.25])


def test_rewards_prefer_certain_new_and_surprising_answers() -> None:
    certain, vague = [0.98, 0.01, 0.01], [0.34, 0.33, 0.33]
    answers, even = np.array([certain, vague]), np.full((2, 3), 1 / 3)
    assert np.diff(Rewards("certainty")(answers, even)) < 0
    seen = Rewards("diversity")
    seen(np.array([certain] * 8), np.full((8, 3), 1 / 3))
    assert np.diff(seen(np.array([certain, certain[::-1]]), even)) > 0
    clone = np.array([[0.98, 0.01, 0.01], [0.01, 0.01, 0.98]])
    assert np.diff(Rewards("loss")(np.array([certain, certain]), clone)) > 0


def test_labels_alone_have_no_certainty_and_break_nothing() -> None:
    """The certainty of one-hot answers never changes: its deviation is 0."""
    rewards = Rewards("all")(np.eye(3)[[0, 1, 2, 0]], np.full((4, 3), 1 / 3))
    assert np.isfinite(rewards).all()


def test_draws_follow_the_policy_and_never_repeat() -> None:
    groups = np.repeat([0, 1], 500)
    first = draw(np.array([0.9, 0.1]), groups, np.empty(0, int), 200, np.random.default_rng(3))
    assert len(set(first)) == 200
    assert 0.8 < (groups[first] == 0).mean() < 0.95
    rest = draw(np.array([0.9, 0.1]), groups, first, 800, np.random.default_rng(3))
    assert set(first) | set(rest) == set(range(1000))


def test_clusters_tell_unlike_images_apart() -> None:
    groups = cluster(POOL, 2, 1)
    assert len(set(groups[::2])) == len(set(groups[1::2])) == 1
    assert groups[0] != groups[1]


def test_labels_are_one_hot_or_smoothed() -> None:
    answers = np.array([[0.2, 0.5, 0.3, 0.0]], np.float32)
    np.testing.assert_array_equal(smoothed_labels(answers, 0.0), [[0, 1, 0, 0]])
    np.testing.assert_allclose(smoothed_labels(answers, 0.2), [[0.05, 0.85, 0.05, 0.05]], rtol=1e-6)


def test_copies_are_moved_and_mirrored_but_not_made_up() -> None:
    images = RNG.integers(0, 256, (50, 8, 9, 1), dtype=np.uint8)
    assert (shifted(images, 0, False, np.random.default_rng(1)) == images).all()
    copies = shifted(images, 2, False, np.random.default_rng(1))
    inner = [
        any((copy[2:6, 2:7] == image[2 + y : 6 + y, 2 + x : 7 + x]).all() for y in range(-2, 3) for x in range(-2, 3))
        for copy, image in zip(copies, images, strict=True)
    ]
    assert all(inner)
    assert (copies != images).any()
    mirrored = shifted(images, 0, True, np.random.default_rng(1))
    same = (mirrored == images).all(axis=(1, 2, 3))
    assert (same | (mirrored == images[:, :, ::-1]).all(axis=(1, 2, 3))).all()
    assert 5 < same.sum() < 45


def test_turned_copies_carry_the_turn_and_no_answer() -> None:
    wanted = with_turn_columns(np.array([[0.7, 0.3], [0.1, 0.9]], np.float32))
    assert wanted.shape == (10, 6)
    np.testing.assert_allclose(wanted[:2, :2], [[0.7, 0.3], [0.1, 0.9]])
    assert not wanted[:2, 2:].any()
    assert not wanted[2:, :2].any()
    assert wanted[2:, 2:].argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_the_rarest_class_counts_once_the_budget_is_needed_for_it() -> None:
    answers = np.eye(3)[[0] * 10 + [1] * 9 + [2] * 2]
    # The mean is 7; one rare class lacks 5.
    assert rarest_class(answers, 6) is None
    assert rarest_class(answers, 5) == 2
    assert rarest_class(np.eye(3)[[0, 1, 2]], 0) is None


def test_nearest_features_come_first() -> None:
    features = np.array([[5.0, 0.0], [1.0, 0.0], [-4.0, 0.0], [0.2, 0.0]])
    assert nearest_first(features, np.array([[0.0, 0.0]])).tolist() == [3, 1, 2, 0]


def test_jbda_moves_pixels_by_the_step_and_stays_in_range() -> None:
    images = np.array([[100, 250, 3, 7]], np.uint8)
    found = moved(images, np.array([[1.0, 1.0, -1.0, 0.0]]), 0.1)
    assert (found.tolist(), found.dtype) == ([[126, 255, 0, 7]], np.uint8)


def test_jbda_holds_a_reservoir_and_turns_its_step() -> None:
    attack = Jbda(reservoir_after=2, reservoir=400, flip_every=3)
    assert [attack.wanted(current, 1000) for current in range(4)] == [1000, 1000, 400, 400]
    assert [attack.signed_step(current) > 0 for current in range(7)] == [True] * 3 + [False] * 3 + [True]
    assert Jbda().wanted(50, 1000) == 1000
