"""KnockoffNets with adaptive queries (Orekondy et al., CVPR 2019, section 4.1.2): a bandit picks what to ask."""

from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import FLOOR, AttackInputs, check_distinct
from tinycerb.attacks.building_blocks.clusters import cluster
from tinycerb.attacks.building_blocks.transfer import shuffled_images, train_clone, train_selector
from tinycerb.attacks.registry import ATTACKS
from tinycerb.options import check_options, option

_REWARDS = ("all", "certainty", "diversity", "loss")


class Bandit:
    """A gradient bandit over the groups of a pool (Sutton and Barto, section 2.8)."""

    def __init__(self, groups: int) -> None:
        self.preferences = np.zeros(groups)
        self._counts = np.zeros(groups)
        self._mean_reward = 0.0

    def policy(self) -> np.ndarray:
        """Returns how likely each group is asked next, float [groups]."""
        weights = np.exp(self.preferences - self.preferences.max())
        return weights / weights.sum()

    def learn(self, group: int, reward: float) -> None:
        """Prefers a group more if its reward is above the mean so far, less if below; step 1 / visits of the group."""
        self._counts[group] += 1
        self._mean_reward += (reward - self._mean_reward) / self._counts.sum()
        change = (reward - self._mean_reward) / self._counts[group] * -self.policy()
        change[group] += (reward - self._mean_reward) / self._counts[group]
        self.preferences += change


class Rewards:
    """What answers are worth; each part is standardised by its own mean and deviation so far, then averaged."""

    def __init__(self, kind: str) -> None:
        self._names = _REWARDS[1:] if kind == "all" else (kind,)
        self._seen: dict[str, list[float]] = {name: [] for name in self._names}
        self._answers = np.empty((0, 0))

    def __call__(self, answers: np.ndarray, posteriors: np.ndarray) -> np.ndarray:
        """Returns the rewards [N] of answers [N, classes] that the clone would have answered with `posteriors`."""
        earlier = self._answers if len(self._answers) else answers
        parts = {
            # Equations 7 to 9 of the paper.
            "certainty": np.ptp(np.sort(answers, axis=1)[:, -2:], axis=1),
            "diversity": np.maximum(answers - earlier.mean(axis=0), 0).sum(axis=1),
            "loss": -(answers * np.log(np.maximum(posteriors, FLOOR))).sum(axis=1),
        }
        self._answers = np.concatenate([earlier, answers]) if len(self._answers) else answers
        standard = []
        for name in self._names:
            self._seen[name] += parts[name].tolist()
            # A part that never changes, such as the certainty of labels, is worth nothing.
            standard.append((parts[name] - np.mean(self._seen[name])) / max(np.std(self._seen[name]), 1e-6))
        return np.mean(standard, axis=0)


@ATTACKS.register("knockoff_adaptive")
@dataclass(frozen=True)
class KnockoffAdaptive:
    """Asks more of the groups of images whose answers were certain, diverse and surprising to the clone.

    The paper's groups are the class labels of the pool, in two levels; pools here have none, so they are clusters by
    looks, in one level. The paper updates after every question; here the bandit learns from each answer of a batch in
    turn, the clone after each batch. With the whole pool as budget it asks what `knockoff` asks.
    """

    reward: str = option("all", "what a group of images is rewarded for; the paper's choice: all", choices=_REWARDS)
    clusters: int = option(30, "groups of the pool", 2, 10000)
    batch: int = option(500, "questions between two updates", 1, 10**6)
    epochs_per_update: int = option(
        1, "epochs of the clone, which measures the loss reward, on all answers so far", 1, 1000
    )

    def __post_init__(self) -> None:
        check_options(self)

    check = staticmethod(check_distinct)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.distill import predictor

        random = np.random.default_rng([inputs.seed, 6])
        images = shuffled_images(inputs)
        groups = cluster(images, self.clusters, inputs.seed)
        bandit, rewards, clone = Bandit(self.clusters), Rewards(self.reward), inputs.build()
        predict = predictor([clone])
        budget = inputs.config.budget or len(images)
        asked = np.empty(0, int)
        answers = np.empty((0, inputs.classes), np.float32)
        while len(asked) < budget:
            chosen = draw(bandit.policy(), groups, asked, min(self.batch, budget - len(asked)), random)
            fresh = inputs.oracle.query(images[chosen])
            for group, reward in zip(groups[chosen], rewards(fresh, predict(images[chosen])), strict=True):
                bandit.learn(group, reward)
            asked, answers = np.concatenate([asked, chosen]), np.concatenate([answers, fresh])
            if len(asked) < budget:
                train_selector(inputs, images[asked], answers, self.epochs_per_update, clone)
        train_clone(inputs, images[asked], answers)


def draw(
    policy: np.ndarray, groups: np.ndarray, asked: np.ndarray, count: int, random: np.random.Generator
) -> np.ndarray:
    """Draws images that were not asked, their groups as likely as `policy` says.

    Args:
        policy: float [groups], sums to 1.
        groups: the group of every image, int [N].
        asked: indices that must not come again.
        count: how many; at most as many as are left.
        random: draws.

    Returns:
        Indices of images, int [count], all different.
    """
    left = np.bincount(groups, minlength=len(policy)) - np.bincount(groups[asked], minlength=len(policy))
    # An image of its group gets the group's share; the floor lets all be drawn once liked groups are empty.
    weights = (policy / np.maximum(left, 1))[groups] + 1e-12
    weights[asked] = 0
    return random.choice(len(groups), count, replace=False, p=weights / weights.sum())
