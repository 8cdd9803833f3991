"""Attacks: one file each, found by name. They see the oracle and nothing else of the victim."""

# Importing an attack registers it.
from tinycerb.attacks import (  # noqa: F401
    activethief,
    augmentation_mean,
    confidence_gated,
    demultiplex,
    dfme,
    disguide,
    inversion,
    jbda,
    jbda_tr,
    knockoff,
    knockoff_adaptive,
    knockoff_two_stage,
    label_only,
    lsb_jitter,
    maze,
    noise_robust,
    repeat_mean,
    repeat_vote,
    reset,
    restorer,
    s4l,
    shadow,
    smoothing,
    swiftthief_lite,
)
from tinycerb.attacks.base import Attack, AttackInputs, knows_key
from tinycerb.attacks.building_blocks import victim_x2  # noqa: F401  (registers a student)
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.attacks.registry import ATTACKS
from tinycerb.config import AttackConfig
from tinycerb.config.typed_tables import build

__all__ = ["ATTACKS", "STUDENTS", "Attack", "AttackInputs", "attack_of", "knows_key"]


def attack_of(config: AttackConfig) -> Attack:
    """Builds the attack that a configuration names.

    Raises:
        UsageError: unknown attack, unknown option, or a value out of range.
    """
    return build(ATTACKS[config.attack], config.options, where=f"attacks.{config.name}.options")
