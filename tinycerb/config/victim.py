"""A victim as a configuration describes it."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass

from tinycerb.config.checks import check, check_name
from tinycerb.file_names import CANDIDATE_FIGURES
from tinycerb.options import check_options, option

BEST_DEVELOPMENT_CLONE = "best development clone"


@dataclass(frozen=True)
class VictimConfig:
    """One model to train, convert and attack."""

    name: str = option(MISSING, "its name in tables and paths")
    defense: str = option("none", "a training part", listed="defenses")
    channel_ratio: float = option(
        0.0, "share of the channels (or, with TF-MOT's own modes, of the weights) that pruning removes", 0, 0.9
    )
    pruning: str = option("channels", "a registered pruning method")
    flash_bytes: int = option(0, "the int8 file must not have more; `channel_ratio` is then found", 0, zero="no budget")
    ram_bytes: int = option(0, "TFLite Micro's arena must not take more; likewise", 0, zero="no budget")
    options: Mapping[str, object] = option({}, "the training part's own settings")
    seeds: int = option(1, "trainings with a seed each, one of which is kept", 1, len(CANDIDATE_FIGURES))
    keep: str = option(
        BEST_DEVELOPMENT_CLONE,
        "which of several trainings: the one that a development attacker, with images of procedural families that no "
        "victim is trained with, copies worst",
        choices=(BEST_DEVELOPMENT_CLONE,),
    )
    keep_within: float = option(
        1.0, "points of validation accuracy that the kept training may be below the most accurate one", 0, 100
    )
    response: str = option(
        "none",
        "what is done to every posterior before it leaves the device, `NAME,option=value` as for `tinycerb convert "
        "--response`",
        listed="defenses",
    )
    minimum_accuracy: float = option(
        0.0, "expected accuracy below which the run ends with exit 1", 0, 1, zero="no gate"
    )
    maximum_flash_share: float = option(
        0.0, "file size, as a share of the baseline's, above which it does", 0, 1, zero="no gate"
    )

    def __post_init__(self) -> None:
        check_name("victims.name", self.name)
        check_options(self, f"victims.{self.name}")
        check(
            not self.has_budget or self.pruning == "channels",
            f"victims.{self.name} has a budget in bytes and pruning = {self.pruning!r}, which saves none; "
            "allowed: 'channels'",
        )

    @property
    def has_budget(self) -> bool:
        """Whether bytes decide how much is pruned."""
        return bool(self.flash_bytes or self.ram_bytes)

    @property
    def is_defended(self) -> bool:
        """Whether it has a defence, in training or in how it answers."""
        return self.defense != "none" or self.response != "none"

    @property
    def is_pruned(self) -> bool:
        """Whether anything may be taken away."""
        return self.channel_ratio > 0 or self.has_budget
