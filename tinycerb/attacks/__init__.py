"""Attacks: one file each, found by name. They see the oracle and nothing else of the victim."""

from tinycerb.attacks import knockoff  # noqa: F401  (importing an attack registers it)
from tinycerb.attacks.base import ATTACKS, Attack, AttackInputs

__all__ = ["ATTACKS", "Attack", "AttackInputs"]
