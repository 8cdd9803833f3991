"""DFME (Truong et al., CVPR 2021): data-free, with the L1 distance of logits that are recovered from posteriors."""

from dataclasses import dataclass

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.checks import check_range, check_without_images
from tinycerb.attacks.registry import ATTACKS


@ATTACKS.register("dfme")
@dataclass(frozen=True)
class Dfme:
    """Generator and clone play against each other over |log T(x) - S(x)|, both centred (equations 3 and 8).

    Three things differ from the paper, all in the attacker's favour. The step is not 1e-3, at which a model with 8-bit
    inputs shows no slope at all (`make bench-gradients`). The clone's share of the generator's
    gradient is exact, only the victim's is estimated. Posteriors are held above 1/512, half a code, before logarithms.
    In the end the clone trains on all answers once more. Published: 20 million calls for CIFAR-10, 2 million for SVHN.

    Attributes:
        step: length of a finite difference, in units before the tanh, over the whole image. Published: 1e-3.
        directions: of finite differences per image; published: 1.
        batch: published: 256.
        student_steps: fresh batches per step of the generator; published: 5.
        replay_steps: on remembered answers; published: none.
        generator_learning_rate: of Adam; published: 1e-4.
        latent: dimensions of the noise; published: 256.
        offset: where images start before the tanh: -1.5 for tasks on dark ground, which an attacker knows.
    """

    step: float = 2.0
    directions: int = 1
    batch: int = 128
    student_steps: int = 5
    replay_steps: int = 5
    generator_learning_rate: float = 1e-3
    latent: int = 128
    offset: float = 0.0

    def __post_init__(self) -> None:
        check_data_free("dfme", self)

    check = staticmethod(check_without_images)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.data_free import Objective, Recipe, steal
        from tinycerb.attacks.building_blocks.synthesis import absolute_difference, centred_log

        steal(inputs, Objective(absolute_difference, centred_log), Recipe(**vars(self)))


def check_data_free(name: str, attack: object) -> None:
    """Raises a UsageError for an option of `dfme` or `maze` that is out of range."""
    ranges = {
        "step": (1e-6, 1000),
        "directions": (1, 1000),
        "batch": (8, 4096),
        "student_steps": (1, 1000),
        "replay_steps": (0, 1000),
        "generator_learning_rate": (1e-6, 1),
        "latent": (1, 4096),
        "offset": (-10, 10),
    }
    for option, (lowest, highest) in ranges.items():
        check_range(name, option, getattr(attack, option), lowest, highest)
