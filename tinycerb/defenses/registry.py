"""The table of defences. Each module of this package files its own."""

from tinycerb.defenses.base import Defense
from tinycerb.registry import Registry

DEFENSES: Registry[type[Defense]] = Registry("defence")
