"""The built-in configurations, found by name."""

import sys
from functools import cache
from importlib import resources

# Names of before, each with the one that took its place.
RENAMED = {"own": "custom"}


def preset_names() -> list[str]:
    """Returns the names of the built-in presets."""
    folder = resources.files("tinycerb") / "presets"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


@cache
def current_name(name: str) -> str:
    """Returns a preset's name of today; an old one is answered, once, with a line on standard error."""
    if name not in RENAMED:
        return name
    sys.stderr.write(f"the preset {name!r} is called {RENAMED[name]!r} now\n")
    return RENAMED[name]


def read_preset(name: str) -> str:
    """Returns the TOML text of one of `preset_names`."""
    return (resources.files("tinycerb") / "presets" / f"{name}.toml").read_text()
