"""The table of defences. Each module of this package files its own."""

from tinycerb.defenses.base import Defense
from tinycerb.registry import Registry, members_of

DEFENSES: Registry[type[Defense]] = Registry("defence", members_of(Defense))
