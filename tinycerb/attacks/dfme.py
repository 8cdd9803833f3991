"""DFME (Truong et al., CVPR 2021): data-free, with the L1 distance of logits that are recovered from posteriors."""

from dataclasses import dataclass

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.checks import check_without_images
from tinycerb.attacks.registry import ATTACKS
from tinycerb.options import check_options, option


@ATTACKS.register("dfme")
@dataclass(frozen=True)
class Dfme:
    """Generator and clone play against each other over |log T(x) - S(x)|, both centred (equations 3 and 8).

    Three things differ from the paper, all in the attacker's favour. The step is not 1e-3, at which a model with 8-bit
    inputs shows no slope at all (`make bench-gradients`). The clone's share of the generator's
    gradient is exact, only the victim's is estimated. Posteriors are held above 1/512, half a code, before logarithms.
    In the end the clone trains on all answers once more. Published: 20 million calls for CIFAR-10, 2 million for SVHN.
    """

    step: float = option(
        2.0,
        "length of a finite difference, in units before the tanh, over the whole image; published: 1e-3",
        1e-6,
        1000,
    )
    directions: int = option(1, "directions of finite differences per image; published: 1", 1, 1000)
    batch: int = option(128, "images of a step; published: 256", 8, 4096)
    student_steps: int = option(5, "fresh batches per step of the generator; published: 5", 1, 1000)
    replay_steps: int = option(5, "steps on remembered answers per step of the generator; published: none", 0, 1000)
    generator_learning_rate: float = option(1e-3, "of the generator's Adam; published: 1e-4", 1e-6, 1)
    latent: int = option(128, "dimensions of the generator's noise; published: 256", 1, 4096)
    offset: float = option(
        0.0, "where images start before the tanh: -1.5 for tasks on dark ground, which an attacker knows", -10, 10
    )

    def __post_init__(self) -> None:
        check_options(self)

    check = staticmethod(check_without_images)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.data_free import Objective, Recipe, steal
        from tinycerb.attacks.building_blocks.synthesis import absolute_difference, centred_log

        steal(inputs, Objective(absolute_difference, centred_log), Recipe(**vars(self)))
