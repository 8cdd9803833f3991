"""Keys that were called otherwise: old files and runs are understood, and whoever types an old name is told the new."""

from collections.abc import Mapping
from functools import cache

from tinycerb.events import say

# In each of the [[attacks]].
ATTACK_KEYS = {"own_images": "in_distribution_images"}


def with_current_keys(table: Mapping[str, object], tell: bool) -> dict[str, object]:
    """Returns a configuration's table with the names of today.

    Args:
        table: as TOML has it, one layer of it: an old name in one layer and the new one in another mean the same.
        tell: whether to say on standard error what is called otherwise now, once each.
    """
    attacks = table.get("attacks")
    if not isinstance(attacks, list):
        return dict(table)
    return {
        **table,
        "attacks": [_renamed(attack, tell) if isinstance(attack, Mapping) else attack for attack in attacks],
    }


def current_key(section: str, key: str) -> str:
    """Returns the name of today of a key that `--set` names, and says so where it is another one."""
    if section == "attacks" and key in ATTACK_KEYS:
        _say_once(key, ATTACK_KEYS[key])
    return ATTACK_KEYS.get(key, key) if section == "attacks" else key


def _renamed(attack: Mapping[str, object], tell: bool) -> dict[str, object]:
    if tell:
        for old in ATTACK_KEYS.keys() & attack.keys():
            _say_once(old, ATTACK_KEYS[old])
    return {ATTACK_KEYS.get(key, key): value for key, value in attack.items()}


@cache
def _say_once(old: str, new: str) -> None:
    say(f"the key {old!r} is called {new!r} now")
