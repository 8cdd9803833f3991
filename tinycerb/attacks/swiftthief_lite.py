"""SwiftThief (Lee, Han and Lee, IJCAI 2024), scaled down: clones learn features from images that were never asked."""

from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.activethief import entropy_of
from tinycerb.attacks.base import AttackInputs, check_distinct
from tinycerb.attacks.building_blocks.transfer import shuffled_images, train_selector
from tinycerb.attacks.registry import ATTACKS
from tinycerb.events import Progress
from tinycerb.options import check_options, option

_BANDWIDTH = 0.5


@ATTACKS.register("swiftthief_lite")
@dataclass(frozen=True)
class SwiftThiefLite:
    """Rounds of contrastive learning, distillation and choosing; unasked images of the pool teach features.

    Contrastive learning minimises SimSiam on unasked images, a soft supervised contrast on asked ones (pairs weigh by
    how certain and how alike their answers are) and 0.01 times the loss at an FGSM neighbour, in which rare classes
    weigh more. Choosing takes the most uncertain images; once the budget that is left is needed for the rare classes,
    those nearest to the rarest class in feature space by a Gaussian density. Asked images are asked once: the official
    code asks them again in every epoch.

    Published: 8,000 calls, ResNet-18 on ImageNet, 500 epochs of distillation, 40 of contrast in each of ten rounds,
    projection 2,048, prediction 512. Here: a fiftieth of the epochs, projection 256, prediction 64, shifts as
    augmentation.
    """

    rounds: int = option(3, "contrast, distillation and choice, after the random start", 1, 100)
    start: float = option(0.25, "share of the budget that is asked at random first", 0.001, 1)
    contrast_epochs: int = option(2, "passes over the unasked images in each round", 0, 1000)
    unasked: int = option(4000, "images for SimSiam in a round, at most", 0, 10**7)
    selector_epochs: int = option(4, "epochs of distillation in a round", 1, 1000)
    contrast_learning_rate: float = option(1e-3, "of the contrast's Adam", 1e-6, 1)

    def __post_init__(self) -> None:
        check_options(self)

    check = staticmethod(check_distinct)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.contrast import Contrast
        from tinycerb.attacks.building_blocks.distill import distill, settings_of
        from tinycerb.attacks.building_blocks.features import feature_vectors

        random = np.random.default_rng([inputs.seed, 6])
        images = shuffled_images(inputs)
        budget = inputs.config.budget or len(images)
        first = max(1, round(budget * self.start))
        sizes = np.diff(np.linspace(first, budget, self.rounds + 1).round().astype(int))
        members = inputs.build_members()
        contrasts = [Contrast(member, self.contrast_learning_rate) for member in members]
        asked, left = np.arange(first), np.arange(first, len(images))
        answers = inputs.oracle.query(images[asked])
        for number, size in enumerate(sizes):
            for contrast in contrasts:
                contrast.learn(images[left[: self.unasked]], images[asked], answers, self.contrast_epochs, random)
            inputs.on_progress(Progress(number + 1, self.rounds, "rounds of contrastive learning"))
            if size == 0:
                continue
            predict = train_selector(inputs, images[asked], answers, self.selector_epochs, members[0])
            rare = rarest_class(answers, budget - len(asked))
            if rare is None:
                order = np.argsort(-entropy_of(predict(images[left])), kind="stable")
            else:
                of_rare = feature_vectors(members[0], images[asked[answers.argmax(axis=1) == rare]])
                order = nearest_first(feature_vectors(members[0], images[left]), of_rare)
            chosen = left[order[:size]]
            answers = np.concatenate([answers, inputs.oracle.query(images[chosen])])
            asked, left = np.concatenate([asked, chosen]), np.setdiff1d(left, chosen)
        settings = settings_of(inputs)
        distill(members, images[asked], answers, settings, inputs.seed, inputs.on_epoch, inputs.on_progress)


def rarest_class(answers: np.ndarray, left: int) -> int | None:
    """Returns the rarest class that was answered at all, once the budget that is left is no more than rare ones lack.

    Args:
        answers: float [N, classes].
        left: calls that are left.

    Returns:
        None while there are more: (number of classes rarer than the mean) * (mean - their mean).
    """
    counts = np.bincount(answers.argmax(axis=1), minlength=answers.shape[1])
    rare = counts[counts < counts.mean()]
    if len(rare) == 0 or left > len(rare) * (counts.mean() - rare.mean()):
        return None
    return int(np.where(counts == 0, counts.max() + 1, counts).argmin())


def nearest_first(features: np.ndarray, of_rare: np.ndarray) -> np.ndarray:
    """Returns indices of features [N, D] by falling Gaussian density, bandwidth 0.5, around `of_rare` [M, D]."""
    scale = max(float(features.std()), 1e-6)
    features, of_rare = features / scale, of_rare / scale
    squares = (features**2).sum(axis=1)[:, None] + (of_rare**2).sum(axis=1)[None] - 2 * features @ of_rare.T
    exponents = -squares / (2 * _BANDWIDTH**2)
    largest = exponents.max(axis=1)
    density = largest + np.log(np.exp(exponents - largest[:, None]).mean(axis=1))
    return np.argsort(-density, kind="stable")
