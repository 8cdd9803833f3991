"""Defences: one file each, found by name."""

from tinycerb.config import VictimConfig
from tinycerb.defenses import (  # noqa: F401  (importing a defence registers it)
    cerberos,
    divqat,
    ini,
    outlier_exposure,
    undefended,
)
from tinycerb.defenses.base import Defense
from tinycerb.defenses.registry import DEFENSES
from tinycerb.typed import build

__all__ = ["DEFENSES", "Defense", "defense_of"]


def defense_of(victim: VictimConfig) -> Defense:
    """Builds a victim's defence from its options.

    Raises:
        UsageError: unknown defence, unknown option or a value out of range.
    """
    return build(DEFENSES[victim.defense], victim.options, where=f"victims.{victim.name}.options")
