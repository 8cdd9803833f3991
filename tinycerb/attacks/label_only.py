"""Label-only stealing: of every answer only the largest entry counts.

Defences that change posteriors but not their largest entry do nothing against it.
"""

from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.base import AttackInputs, check_distinct, choose_images
from tinycerb.attacks.building_blocks.transfer import train_clone
from tinycerb.attacks.registry import ATTACKS
from tinycerb.options import check_options, option


def smoothed_labels(answers: np.ndarray, smoothing: float) -> np.ndarray:
    """Returns (1 - smoothing) * one-hot + smoothing / classes, float32 [N, classes]."""
    classes = answers.shape[1]
    labels = np.eye(classes, dtype=np.float32)[answers.argmax(axis=1)]
    return (1 - smoothing) * labels + np.float32(smoothing / classes)


@ATTACKS.register("label_only")
@dataclass(frozen=True)
class LabelOnly:
    """KnockoffNets (Orekondy et al., CVPR 2019) on the answers' labels.

    On an oracle that gives posteriors it learns the same as with `output = "top1"`.
    """

    smoothing: float = option(
        0.0, "share of every label that is spread evenly over all classes (Szegedy et al., CVPR 2016)", 0, 0.9
    )

    def __post_init__(self) -> None:
        check_options(self)

    check = staticmethod(check_distinct)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        images = choose_images(inputs)
        train_clone(inputs, images, smoothed_labels(inputs.oracle.query(images), self.smoothing))
