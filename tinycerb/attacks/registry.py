"""The table of attacks. Each module of this package files its own."""

from tinycerb.attacks.base import Attack
from tinycerb.registry import Registry, members_of

ATTACKS: Registry[type[Attack]] = Registry("attack", members_of(Attack))
