"""MAZE (Kariyappa et al., CVPR 2021): data-free, with the Kullback-Leibler divergence of posteriors."""

from dataclasses import dataclass

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.checks import check_without_images
from tinycerb.attacks.dfme import check_data_free
from tinycerb.attacks.registry import ATTACKS


@ATTACKS.register("maze")
@dataclass(frozen=True)
class Maze:
    """Generator and clone play against each other over KL(T(x) || S(x)), with ten directions and replay (section 4).

    It differs from the paper as `dfme` does: a step that 8-bit inputs feel, an exact share of the clone, the floor at
    1/512, a last training on all answers. Published: 5 million calls for Fashion-MNIST.

    Attributes:
        step: length of a finite difference, in units before the tanh, over the whole image. Published: 1e-3.
        directions: of finite differences per image; published: 10.
        batch: published: 128.
        student_steps: fresh batches per step of the generator, besides the generator's own; published: 4.
        replay_steps: on remembered answers; published: 10.
        generator_learning_rate: of Adam; published: 1e-4 to 1e-3, of SGD.
        latent: dimensions of the noise; published: 100.
        offset: where images start before the tanh: -1.5 for tasks on dark ground, which an attacker knows.
    """

    step: float = 2.0
    directions: int = 10
    batch: int = 128
    student_steps: int = 4
    replay_steps: int = 10
    generator_learning_rate: float = 1e-3
    latent: int = 100
    offset: float = 0.0

    def __post_init__(self) -> None:
        check_data_free("maze", self)

    check = staticmethod(check_without_images)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.data_free import Objective, Recipe, steal
        from tinycerb.attacks.building_blocks.synthesis import divergence, floored

        steal(inputs, Objective(divergence, floored), Recipe(**vars(self)))
