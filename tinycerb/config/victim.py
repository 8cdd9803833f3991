"""A victim as a configuration describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinycerb.config.checks import check, check_name


@dataclass(frozen=True)
class VictimConfig:
    """One model to train, convert and attack.

    Attributes:
        name: its name in tables and paths.
        defense: a registered defence.
        channel_ratio: share of the channels (or, with TF-MOT's own modes, of the weights) that pruning removes.
        pruning: a registered pruning method.
        flash_bytes: the int8 file must not have more; `channel_ratio` is then found, 0 for no budget.
        ram_bytes: TFLite Micro's arena must not take more; likewise.
        options: the defence's own settings.
        response: what is done to every posterior before it leaves the device, `NAME,option=value` as for
            `tinycerb convert --response`; `none` for nothing.
        minimum_accuracy: expected accuracy below which the run ends with exit 1, 0 for no gate.
        maximum_flash_share: file size, as a share of the baseline's, above which it does, 0 for no gate.
    """

    name: str
    defense: str = "none"
    channel_ratio: float = 0.0
    pruning: str = "channels"
    flash_bytes: int = 0
    ram_bytes: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    response: str = "none"
    minimum_accuracy: float = 0.0
    maximum_flash_share: float = 0.0

    def __post_init__(self) -> None:
        check_name("victims.name", self.name)
        check(
            0 <= self.channel_ratio <= 0.9,
            f"victims.{self.name}.channel_ratio is {self.channel_ratio}; allowed: 0 to 0.9",
        )
        for key in ("flash_bytes", "ram_bytes"):
            check(
                getattr(self, key) >= 0,
                f"victims.{self.name}.{key} is {getattr(self, key)}; allowed: 0 (no budget) or more",
            )
        check(
            not self.has_budget or self.pruning == "channels",
            f"victims.{self.name} has a budget in bytes and pruning = {self.pruning!r}, which saves none; "
            "allowed: 'channels'",
        )
        for key in ("minimum_accuracy", "maximum_flash_share"):
            value = getattr(self, key)
            check(0 <= value <= 1, f"victims.{self.name}.{key} is {value}; allowed: 0 (no gate) to 1")

    @property
    def has_budget(self) -> bool:
        """Whether bytes decide how much is pruned."""
        return bool(self.flash_bytes or self.ram_bytes)

    @property
    def is_pruned(self) -> bool:
        """Whether anything may be taken away."""
        return self.channel_ratio > 0 or self.has_budget
