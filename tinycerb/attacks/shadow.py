"""Plays the vendor on the attacker's own images, and learns there which answers to believe.

Breaks: misdirection off the task, where the recipe is known: generator of images, random teachers, but not what these
are drawn from. With `knows_key` the owner's secret is known, too.
Shadow models after Shokri et al. (S&P 2017), as D-DAE (Chen et al., S&P 2023) uses them against output defences; both
have labelled images for it, this attacker makes classes up: half of the groups of the pool are the shadow's task.
"""

from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import FLOOR, AttackInputs, check_distinct, choose_images
from tinycerb.attacks.building_blocks.clusters import cluster
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.datasets.procedural import FAMILIES, generate
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option

# A device that tells labels alone answers 255/256 for the label; an oracle asked for labels answers 1.
LABEL_ALONE = 255 / 256


@ATTACKS.register("shadow")
@dataclass(frozen=True)
class Shadow:
    """Asks each image once and trains on the answers that look honest.

    Two shadows learn groups of the pool as classes; the second also imitates a random teacher on images that the
    vendor's generator draws. On the other groups, which are foreign to both, a logistic model learns from an answer and
    from how much the image looks drawn whether the second still says what the first does.

    With `knows_key`, the worst case of a stolen owner key, the attacker has the victim's teachers, and asks them, too.
    Answers that no teacher gives are believed, all of them. Those that one gives are lies, or right by chance; of these
    only the most trusted ones are believed, if any: one honest answer in ten is not worth the lies beside it.

    Notes `worst_case` (`knows the recipe`, or `knows the recipe and the owner key`), `shadow_honest` (share of foreign
    images on which the shadows agree), `trust_auc` (how well the model tells these, 0.5 is chance), and with the key
    `explained` (share of the answers that a teacher gives).
    """

    families: str = option("", "families of the vendor's generator", choices=FAMILIES, joined=True, empty="all")
    drawn: int = option(6000, "how many images the attacker draws", 100, 1_000_000)
    epochs: int = option(5, "epochs of each shadow", 1, 1000)
    keep: float = option(0.5, "the share of images that the clone is trained on", 0.01, 1)
    knows_key: bool = option(False, "the attacker has the victim's teachers; keep then says nothing")
    keep_explained: float = option(
        0.0, "the share of the answers that a teacher gives on which the clone is trained all the same", 0, 1
    )

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """See `Attack.check`."""
        check_distinct(config, pool_images, in_distribution_images)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.transfer import train_clone

        if self.knows_key and not inputs.teachers:
            raise UsageError("attack 'shadow': knows_key is true, but the attacker was given no teachers")
        images = choose_images(inputs)
        answers = inputs.oracle.query(images)
        inputs.note("worst_case", "knows the recipe and the owner key" if self.knows_key else "knows the recipe")
        trust = self._trust(inputs, images, answers)
        if self.knows_key:
            kept = self._not_explained(inputs, images, answers, trust)
        else:
            kept = np.argsort(-trust, kind="stable")[: max(1, round(self.keep * len(images)))]
        train_clone(inputs, images[kept], answers[kept])

    def _families(self) -> list[str]:
        return [name.strip() for name in self.families.split("+")] if self.families else list(FAMILIES)

    def _not_explained(
        self, inputs: AttackInputs, images: np.ndarray, answers: np.ndarray, trust: np.ndarray
    ) -> np.ndarray:
        """Returns the indices of the answers that are believed."""
        labels = answers.argmax(axis=1)
        explained = np.any([teacher(images).argmax(axis=1) == labels for teacher in inputs.teachers], axis=0)
        inputs.note("explained", float(explained.mean()))
        suspects = np.flatnonzero(explained)
        most_trusted = suspects[np.argsort(-trust[suspects], kind="stable")]
        # A clone is trained on something.
        count = max(round(self.keep_explained * len(suspects)), int(explained.all()))
        return np.concatenate([np.flatnonzero(~explained), most_trusted[:count]])

    def _trust(self, inputs: AttackInputs, images: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Returns how far each answer is to be believed, float [N]; only the order means something."""
        from tinycerb.attacks.building_blocks.transfer import train_selector
        from tinycerb.defenses.losses.random_teachers import random_teachers

        if len(np.unique(images, axis=0)) < 2 * inputs.classes:
            raise UsageError(
                f"attack 'shadow': {len(images)} images of the pool make no groups; allowed: {2 * inputs.classes} "
                "distinct ones or more"
            )
        groups = cluster(images, 2 * inputs.classes, inputs.seed)
        task = groups < inputs.classes
        # Families that rearrange training images have the pool's to rearrange: the attacker has no others.
        drawn = generate(self._families(), self.drawn, images[task], inputs.seed)
        one_hot = np.eye(inputs.classes, dtype=np.float32)
        wanted = one_hot[groups[task]]
        off_task = random_teachers(drawn, 1, inputs.classes, inputs.seed)[0]
        honest = train_selector(inputs, images[task], wanted, self.epochs)
        both = np.concatenate([images[task], drawn])
        defended = train_selector(inputs, both, np.concatenate([wanted, off_task]), self.epochs)
        looks = train_selector(
            inputs, np.concatenate([images, drawn]), one_hot[[0] * len(images) + [1] * len(drawn)], self.epochs
        )
        likeness = looks(images)[:, 1]
        shadow_answers = np.rint(defended(images[~task]) * 256) / 256
        shadow_answers = in_the_form_of(answers, shadow_answers)
        agreed = shadow_answers.argmax(axis=1) == honest(images[~task]).argmax(axis=1)
        weights = fit_logistic(signs_of(shadow_answers, likeness[~task]), agreed)
        inputs.note("shadow_honest", float(agreed.mean()))
        inputs.note("trust_auc", ranking_quality(signs_of(shadow_answers, likeness[~task]) @ weights, agreed))
        return signs_of(answers, likeness) @ weights


def in_the_form_of(answers: np.ndarray, shadow_answers: np.ndarray) -> np.ndarray:
    """Returns the shadow's answers as the victim would give them: labels alone where it tells no more."""
    if (answers.max(axis=1) >= LABEL_ALONE).all():
        return np.eye(answers.shape[1], dtype=shadow_answers.dtype)[shadow_answers.argmax(axis=1)]
    return shadow_answers


def signs_of(answers: np.ndarray, likeness: np.ndarray) -> np.ndarray:
    """Returns what trust is judged by, whatever the classes mean, float64 [N, 5].

    Args:
        answers: float [N, classes].
        likeness: how much the images look drawn by the vendor's generator, float [N] in 0..1.

    Returns:
        Log of the largest posterior, margin to the second, entropy, logit of the likeness, and 1.
    """
    ordered = np.sort(np.clip(answers.astype(np.float64), FLOOR, 1 - FLOOR), axis=1)
    entropy = -(ordered * np.log(ordered)).sum(axis=1)
    likeness = np.clip(likeness.astype(np.float64), FLOOR, 1 - FLOOR)
    columns = (np.log(ordered[:, -1]), ordered[:, -1] - ordered[:, -2], entropy, np.log(likeness / (1 - likeness)))
    return np.stack([*columns, np.ones(len(ordered))], axis=1)


def fit_logistic(signs: np.ndarray, truth: np.ndarray, ridge: float = 1e-3) -> np.ndarray:
    """Fits P(truth) = sigmoid(signs @ weights), with a small ridge; returns the weights, float64 [columns]."""
    from scipy.optimize import minimize

    signed = np.where(truth, 1.0, -1.0)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signed * (signs @ weights)
        slopes = -signed * np.exp(-np.logaddexp(0, margins))
        value = np.logaddexp(0, -margins).mean() + ridge * (weights**2).sum()
        return value, signs.T @ slopes / len(signs) + 2 * ridge * weights

    return minimize(loss, np.zeros(signs.shape[1]), jac=True, method="L-BFGS-B").x


def ranking_quality(scores: np.ndarray, truth: np.ndarray) -> float:
    """Returns the share of pairs (true, false) that scores put in order: the area under the ROC curve, ties halved.

    It is 0.5 where there are no such pairs.
    """
    from scipy.stats import rankdata

    positives = int(truth.sum())
    if positives in (0, len(truth)):
        return 0.5
    excess = rankdata(scores)[truth].sum() - positives * (positives + 1) / 2
    return float(excess / (positives * (len(truth) - positives)))
