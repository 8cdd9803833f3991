"""Trains on a part of the answers only: on those that a defence has probably left alone.

Breaks: perturbations behind a gate. DCP (Khaled et al., ICMLA 2023) and AM perturb where the model is unsure, so sure
answers are honest ones; defences that act on foreign images make their answers unsure or let heads disagree, so
answers on which repeats agree are honest more often than others. `unsure` is the control: only what the gate lets
through, for a defence that hides behind sure answers.
"""

from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.repeats import ask_repeatedly, charged_option, check_repeats, choose_repeated
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.options import check_options, option


@ATTACKS.register("confidence_gated")
@dataclass(frozen=True)
class ConfidenceGated:
    """Asks n times and keeps some images.

    Notes `kept`, the share of images that were trained on.
    """

    keep: str = option(
        "agreeing",
        "which images: agreeing, all repeats name one label; confident, the mean answer's largest posterior is tau or "
        "more; unsure, it is not",
        choices=("agreeing", "confident", "unsure"),
    )
    tau: float = option(0.7, "threshold of confident and unsure", 0, 1)
    repeats: int = option(2, "n, calls per image", 1, 1000)
    charged: bool = charged_option()
    least: float = option(
        0.1, "the share of images kept at least, those nearest to the condition: a clone needs some", 0.01, 1
    )

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """See `Attack.check`."""
        check_repeats(config, pool_images, in_distribution_images, self.repeats, self.charged)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.transfer import train_clone

        images = choose_repeated(inputs, self.repeats, self.charged)
        answers = ask_repeatedly(inputs, images, self.repeats)
        kept = self.chosen(answers)
        inputs.note("images", len(images))
        inputs.note("kept", float(kept.mean()))
        train_clone(inputs, images[kept], answers.mean(axis=0)[kept])

    def chosen(self, answers: np.ndarray) -> np.ndarray:
        """Returns which images are kept, bool [N], for answers [repeats, N, classes]."""
        votes = np.eye(answers.shape[2])[answers.argmax(axis=2)].mean(axis=0).max(axis=1)
        largest = answers.mean(axis=0).max(axis=1)
        # DCP's gate is closed from tau on.
        scores, fitting = {
            "agreeing": (votes, votes == 1),
            "confident": (largest, largest >= self.tau),
            "unsure": (-largest, largest < self.tau),
        }[self.keep]
        fewest = max(1, round(self.least * len(scores)))
        if fitting.sum() < fewest:
            fitting = fitting.copy()
            fitting[np.argsort(-scores, kind="stable")[:fewest]] = True
        return fitting
