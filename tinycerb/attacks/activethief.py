"""ActiveThief (Pal et al., AAAI 2020): a clone chooses which images of the pool to ask about next."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import AttackInputs, check_distinct
from tinycerb.attacks.building_blocks.transfer import shuffled_images, train_clone, train_selector
from tinycerb.attacks.registry import ATTACKS
from tinycerb.options import check_options, option


def entropy_of(posteriors: np.ndarray) -> np.ndarray:
    """Returns the entropies in nats, [N], of posteriors [N, classes]."""
    return -(posteriors * np.log(np.maximum(posteriors, 1e-12))).sum(axis=1)


def most_uncertain(posteriors: np.ndarray, asked: np.ndarray, count: int) -> np.ndarray:
    """Returns the indices of the `count` posteriors of highest entropy; `asked` posteriors do not matter."""
    return np.argsort(-entropy_of(posteriors), kind="stable")[:count]


def k_center(points: np.ndarray, centers: np.ndarray, count: int) -> np.ndarray:
    """Chooses points so that none is far from a centre: the farthest one next, again and again (Gonzalez, 1985).

    The largest distance that is left is at most twice the smallest possible one.

    Args:
        points: float [N, D].
        centers: float [M, D], the centres that there are already.
        count: how many to choose.

    Returns:
        Indices of points, int [count].
    """
    distances = np.full(len(points), np.inf)
    for start in range(0, len(centers), 64):
        block = centers[start : start + 64]
        distances = np.minimum(distances, ((points[:, None] - block[None]) ** 2).sum(axis=2).min(axis=1))
    chosen = []
    for _ in range(count):
        farthest = int(distances.argmax())
        chosen.append(farthest)
        distances = np.minimum(distances, ((points - points[farthest]) ** 2).sum(axis=1))
        # Not again, also where points coincide.
        distances[farthest] = -1
    return np.array(chosen, int)


# (posteriors of images that were not asked, of those that were, count) -> indices of the former
Strategy = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
_STRATEGIES: dict[str, Strategy] = {"entropy": most_uncertain, "k_center": k_center}


@ATTACKS.register("activethief")
@dataclass(frozen=True)
class ActiveThief:
    """Asks about a few random images, then in rounds about those that a clone of the answers so far finds best.

    `entropy` takes those whose posterior is the least certain, `k_center` those whose posteriors are farthest from
    the asked ones' (both in section 4 of the paper). Published: a tenth of the budget at first, ten rounds, clones of
    the rounds trained from scratch for up to 1,000 epochs; here for `selector_epochs`.
    """

    strategy: str = option(
        "entropy",
        "what is asked next: what the clone is least sure of, or what is farthest from all asked",
        choices=tuple(_STRATEGIES),
    )
    rounds: int = option(5, "how often is chosen, after the random start", 1, 1000)
    start: float = option(0.2, "share of the budget that is asked at random first", 0.001, 1)
    selector_epochs: int = option(5, "epochs of the clone that chooses", 1, 10000)

    def __post_init__(self) -> None:
        check_options(self)

    check = staticmethod(check_distinct)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        images = shuffled_images(inputs)
        budget = inputs.config.budget or len(images)
        first = max(1, round(budget * self.start))
        sizes = np.diff(np.linspace(first, budget, self.rounds + 1).round().astype(int))
        asked, left = np.arange(first), np.arange(first, len(images))
        answers = inputs.oracle.query(images[asked])
        for size in sizes[sizes > 0]:
            predict = train_selector(inputs, images[asked], answers, self.selector_epochs)
            chosen = left[_STRATEGIES[self.strategy](predict(images[left]), predict(images[asked]), size)]
            answers = np.concatenate([answers, inputs.oracle.query(images[chosen])])
            asked, left = np.concatenate([asked, chosen]), np.setdiff1d(left, chosen)
        train_clone(inputs, images[asked], answers)
