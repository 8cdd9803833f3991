"""MAZE (Kariyappa et al., CVPR 2021): data-free, with the Kullback-Leibler divergence of posteriors."""

from dataclasses import dataclass

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.checks import check_without_images
from tinycerb.attacks.registry import ATTACKS
from tinycerb.options import check_options, option


@ATTACKS.register("maze")
@dataclass(frozen=True)
class Maze:
    """Generator and clone play against each other over KL(T(x) || S(x)), with ten directions and replay (section 4).

    It differs from the paper as `dfme` does: a step that 8-bit inputs feel, an exact share of the clone, the floor at
    1/512, a last training on all answers. Published: 5 million calls for Fashion-MNIST.
    """

    step: float = option(
        2.0,
        "length of a finite difference, in units before the tanh, over the whole image; published: 1e-3",
        1e-6,
        1000,
    )
    directions: int = option(10, "directions of finite differences per image; published: 10", 1, 1000)
    batch: int = option(128, "images of a step; published: 128", 8, 4096)
    student_steps: int = option(
        4, "fresh batches per step of the generator, besides the generator's own; published: 4", 1, 1000
    )
    replay_steps: int = option(10, "steps on remembered answers per step of the generator; published: 10", 0, 1000)
    generator_learning_rate: float = option(1e-3, "of the generator's Adam; published: 1e-4 to 1e-3, of SGD", 1e-6, 1)
    latent: int = option(100, "dimensions of the generator's noise; published: 100", 1, 4096)
    offset: float = option(
        0.0, "where images start before the tanh: -1.5 for tasks on dark ground, which an attacker knows", -10, 10
    )

    def __post_init__(self) -> None:
        check_options(self)

    check = staticmethod(check_without_images)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.data_free import Objective, Recipe, steal
        from tinycerb.attacks.building_blocks.synthesis import divergence, floored

        steal(inputs, Objective(divergence, floored), Recipe(**vars(self)))
