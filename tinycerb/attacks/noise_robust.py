"""Trains the clone with a loss that distrusts its answers.

Breaks: defences that act like label noise: misdirected answers, noise transition matrices, randomly drawn heads. Wrong
answers that no neighbour shares are learned last and most loudly; these losses turn them down.
"""

from dataclasses import dataclass

from tinycerb.attacks.base import AttackInputs, check_distinct, choose_images
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option

_LOSSES = ("gce", "sce", "co_teaching")


@ATTACKS.register("noise_robust")
@dataclass(frozen=True)
class NoiseRobust:
    """KnockoffNets with another loss, for an answer y and the clone's posterior p.

    `gce`: (1 - (sum_k y_k p_k)^q) / q, between cross-entropy and absolute error (Zhang and Sabuncu, NeurIPS 2018).
    `sce`: cross-entropy of y and p, plus that of p and y with log 0 = -4 (Wang et al., ICCV 2019).
    `co_teaching`: two clones choose for each other the images of each batch that they find least surprising (Han et
    al., NeurIPS 2018); the answer is the mean of both.
    """

    loss: str = option("gce", "what the clone minimises", choices=_LOSSES)
    q: float = option(0.7, "exponent of `gce`; towards 0 it is cross-entropy, 1 is the absolute error", 0.01, 1)
    reverse: float = option(1.0, "weight of the second term of `sce`", 0, 100)
    noise: float = option(
        0.3, "share of each batch that `co_teaching` leaves out from the second fifth of the training on", 0, 0.9
    )

    def __post_init__(self) -> None:
        check_options(self)

    def check(self, config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
        """See `Attack.check`."""
        check_distinct(config, pool_images, in_distribution_images)
        if self.loss == "co_teaching" and config.members not in (1, 2):
            raise UsageError(f"attacks.{config.name}.members is {config.members}; co_teaching trains 2; allowed: 1, 2")

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.robust_losses import co_teach, generalised, symmetric
        from tinycerb.attacks.building_blocks.transfer import train_clone

        images = choose_images(inputs)
        answers = inputs.oracle.query(images)
        if self.loss == "co_teaching":
            co_teach(inputs, images, answers, self.noise)
        else:
            train_clone(inputs, images, answers, generalised(self.q) if self.loss == "gce" else symmetric(self.reverse))
