"""An attack as a configuration describes it."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass

from tinycerb.config.checks import check_name
from tinycerb.options import check_options, option


@dataclass(frozen=True)
class AttackConfig:
    """One attack, run against every victim with each student."""

    name: str = option(MISSING, "its name in tables")
    attack: str = option("knockoff", "an attack", listed="attacks")
    query_pool: str = option(
        "animal_mnist",
        "a registered source of the attacker's images, a .npz file, a folder of images (with a slash in it) or "
        "`package.module:load`",
        empty="what --query-pool will name",
    )
    pool_copies: int = option(
        0,
        "how many copies of each image of the pool the attacker makes, turned, stretched, shaded and textured; they "
        "are asked and charged like any other image",
        0,
        100,
    )
    options: Mapping[str, object] = option({}, "the attack's own settings")
    in_distribution_images: int = option(
        0, "unlabelled images of the victim's own kind that the attacker has beside the pool, which is then T2", 0
    )
    budget: int = option(0, "images the attacker may ask, repeats counted", 0, zero="the whole pool once, with copies")
    output: str = option(
        "probs",
        "what the victim answers with: its posterior, the label alone, or the posterior rounded to one decimal",
        choices=("probs", "top1", "rounded"),
    )
    students: tuple[str, ...] = option(
        ("lenet", "batchnorm_cnn"), "clone networks, the best of which counts", listed="students"
    )
    pretraining: str = option(
        "",
        "a query pool with labels, such as `tiny_imagenet_attacker` or `tiny_imagenet_all` (then T2), that students "
        "learn before they see an answer; this costs no question",
        empty="students start from scratch",
    )
    epochs: int = option(10, "the clone's epochs", 1)
    batch_size: int = option(64, "the clone's batch", 1)
    learning_rates: tuple[float, ...] = option(
        (2e-3,), "peaks of the clone's Adam cosine; each is tried, the best clone counts", above=0, below=1
    )
    prior_correction: float = option(
        0.0,
        "how far the clone's training takes out the class frequencies of the answers: 0 not at all, as KnockoffNets "
        "were published; 1 wholly, for an attacker who expects even classes in the task",
        0,
        1,
    )
    members: int = option(1, "networks that are trained on the same answers; the clone answers with their mean", 1)

    def __post_init__(self) -> None:
        check_name("attacks.name", self.name)
        check_options(self, f"attacks.{self.name}")
