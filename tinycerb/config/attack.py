"""An attack as a configuration describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinycerb.config.checks import check, check_name


@dataclass(frozen=True)
class AttackConfig:
    """One attack, run against every victim with each student.

    Attributes:
        name: its name in tables.
        attack: a registered attack.
        query_pool: a registered source of the attacker's images, or a .npz file, a folder of images (with a slash
            in it) or `package.module:load`; empty for what --query-pool will name.
        pool_copies: how many copies of each image of the pool the attacker makes, turned, stretched, shaded and
            textured; they are asked and charged like any other image.
        options: the attack's own settings.
        own_images: unlabelled images of the victim's own kind that the attacker has beside the pool (then T2).
        budget: images the attacker may ask, repeats counted; 0 for the whole pool once, copies included.
        output: what the victim answers with: `probs`, `top1` (the label alone) or `rounded` (to one decimal).
        students: registered clone networks, the best of which counts.
        epochs: the clone's epochs.
        batch_size: the clone's batch.
        learning_rates: peaks of the clone's Adam cosine; each is tried, the best clone counts.
        prior_correction: how far the clone's training takes out the class frequencies of the answers: 0 not at
            all, as KnockoffNets were published; 1 wholly, for an attacker who expects even classes in the task.
        members: networks that are trained on the same answers; the clone answers with their mean.
    """

    name: str
    attack: str = "knockoff"
    query_pool: str = "animal_mnist"
    pool_copies: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    own_images: int = 0
    budget: int = 0
    output: str = "probs"
    students: tuple[str, ...] = ("lenet", "batchnorm_cnn")
    epochs: int = 10
    batch_size: int = 64
    learning_rates: tuple[float, ...] = (2e-3,)
    prior_correction: float = 0.0
    members: int = 1

    def __post_init__(self) -> None:
        check_name("attacks.name", self.name)
        where = f"attacks.{self.name}"
        check(self.budget >= 0, f"{where}.budget is {self.budget}; allowed: 0 (the whole pool) or more")
        check(0 <= self.pool_copies <= 100, f"{where}.pool_copies is {self.pool_copies}; allowed: 0 to 100")
        check(self.own_images >= 0, f"{where}.own_images is {self.own_images}; allowed: 0 or more")
        outputs = ("probs", "top1", "rounded")
        check(self.output in outputs, f"{where}.output is {self.output!r}; allowed: {', '.join(outputs)}")
        check(len(self.students) > 0, f"{where}.students is empty; name at least one")
        for key in ("epochs", "batch_size", "members"):
            check(getattr(self, key) >= 1, f"{where}.{key} is {getattr(self, key)}; allowed: 1 or more")
        check(len(self.learning_rates) > 0, f"{where}.learning_rates is empty; name at least one")
        for rate in self.learning_rates:
            check(0 < rate < 1, f"{where}.learning_rates has {rate}; allowed: above 0, below 1")
        check(
            0 <= self.prior_correction <= 1,
            f"{where}.prior_correction is {self.prior_correction}; allowed: 0 to 1",
        )
