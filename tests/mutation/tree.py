"""A copy of the tree to put wrong changes into, and what is said of them afterwards."""

import os
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
COPIED = ("tinycerb", "converters", "keras_models", "reports", "firmware_stub", "tests", "pyproject.toml")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", ".hypothesis")


@dataclass(frozen=True)
class Mutant:
    """A wrong change.

    Attributes:
        file: where it is.
        fate: `noticed`: a test has failed, or the program has hung or crashed; `unnoticed`; `unreached` where no test
            of the table runs the changed function.
        was: the line that it changes, without indentation.
        became: what stands there instead.
    """

    file: str
    fate: str
    was: str = ""
    became: str = ""


def copy_tree(to: Path) -> None:
    """Copies all that tests read; what `tinycerb` links to is there once, so that a change is seen by either name."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, symlinks=True, ignore=_LEFT_OUT)
        else:
            shutil.copy(ROOT / name, to / name)


def inner_environment(**more: str) -> dict[str, str]:
    """Returns the environment of tests in a copy: nothing of an outer pytest, modules from the copy alone."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PYTHONPATH"))}
    return {**kept, **more}


def judged_files(table: str) -> dict[str, dict[str, Any]]:
    """Returns what a table says: for every file its `tests`, and `without`, tests of those that are left out."""
    return tomllib.loads((HERE / table).read_text())


def pytest_arguments(table: dict[str, dict[str, Any]], files: Sequence[str]) -> list[str]:
    """Returns what pytest is told to run the tests that judge these files."""
    tests = dict.fromkeys(test for file in files for test in table[file]["tests"])
    left_out = dict.fromkeys(test for file in files for test in table[file].get("without", ()))
    return [*tests, *(f"--deselect={test}" for test in left_out)]


def report(mutants: Sequence[Mutant]) -> str:
    """Returns a line of a Markdown table (made, reached, noticed, share), and below it what nobody notices, and why."""
    listed = tomllib.loads((HERE / "survivors.toml").read_text())["survivors"]
    reasons = {(each["file"], each["was"], each["became"]): each["reason"] for each in listed}
    reached = [mutant for mutant in mutants if mutant.fate != "unreached"]
    alive = [mutant for mutant in reached if mutant.fate != "noticed"]
    noticed = len(reached) - len(alive)
    files = ", ".join(f"`{file}`" for file in dict.fromkeys(mutant.file for mutant in mutants))
    share = f"{noticed / len(reached):.0%}" if reached else "-"
    lines = [f"| {files} | {len(mutants)} | {len(reached)} | {noticed} | {share} |"]
    for mutant in alive:
        reason = reasons.get((mutant.file, mutant.was, mutant.became), "no reason is listed")
        lines += [f"  - {mutant.was}", f"  + {mutant.became}", f"    {reason}"]
    return "\n".join(lines)
