"""Attacks: one file each, found by name. They see the oracle and nothing else of the victim."""

# Importing an attack registers it.
from tinycerb.attacks import (
    activethief,  # noqa: F401
    dfme,  # noqa: F401
    disguide,  # noqa: F401
    jbda,  # noqa: F401
    jbda_tr,  # noqa: F401
    knockoff,  # noqa: F401
    knockoff_adaptive,  # noqa: F401
    label_only,  # noqa: F401
    maze,  # noqa: F401
    s4l,  # noqa: F401
    smoothing,  # noqa: F401
    swiftthief_lite,  # noqa: F401
)
from tinycerb.attacks.base import Attack, AttackInputs
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.typed import build

__all__ = ["ATTACKS", "Attack", "AttackInputs", "attack_of"]


def attack_of(config: AttackConfig) -> Attack:
    """Builds the attack that a configuration names.

    Raises:
        UsageError: unknown attack, unknown option, or a value out of range.
    """
    return build(ATTACKS[config.attack], config.options, where=f"attacks.{config.name}.options")
