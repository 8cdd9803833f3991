"""The built-in configurations, found by name. What each is for: README.md beside this file."""

import sys
from functools import cache
from importlib import resources
from pathlib import Path

from tinycerb.errors import UsageError

# Names of before, each with the one that took its place.
RENAMED = {"own": "custom"}

# Presets of before that are experiments now: files of the repository, which no installed package has.
EXPERIMENTS = {
    name: f"docs/experiments/{name}.toml"
    for name in ("compression", "defense-cost", "fortress-search", "fortress-long", "fortress-wide", "fortress-fourth")
}

_REPOSITORY = Path(__file__).parents[2]


def preset_names() -> list[str]:
    """Returns the names of the built-in presets."""
    folder = resources.files("tinycerb") / "presets"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def is_preset(name: str) -> bool:
    """Whether it is the name of a preset, of today or of before."""
    return name in RENAMED or name in EXPERIMENTS or name in preset_names()


@cache
def current_name(name: str) -> str:
    """Returns a preset's name of today, or the path of the file that it is in; an old one is answered, once.

    The answer is a line on standard error.

    Raises:
        UsageError: the preset is a file of the repository now, and the repository is not here.
    """
    if name in EXPERIMENTS:
        file = _REPOSITORY / EXPERIMENTS[name]
        if not file.is_file():
            raise UsageError(f"the preset {name!r} is a file of TinyCerb's repository now: {EXPERIMENTS[name]}")
        sys.stderr.write(f"the preset {name!r} is a file now: {EXPERIMENTS[name]}\n")
        return str(file)
    if name in RENAMED:
        sys.stderr.write(f"the preset {name!r} is called {RENAMED[name]!r} now\n")
    return RENAMED.get(name, name)


def read_preset(name: str) -> str:
    """Returns the TOML text of one of `preset_names`."""
    return (resources.files("tinycerb") / "presets" / f"{name}.toml").read_text()
