"""Small wrong changes, put into Python modules by mutmut: how many do the modules' tests notice?

    python -m tests.mutation.python_mutants tinycerb/bench/verdict.py [--most 60] [--seed 1]

Which tests judge which module stands in modules.toml, why a change that nobody notices may stay in survivors.toml. The
tree is copied first: nothing in it is changed.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutation.tree import COPIED, Mutant, copy_tree, inner_environment, judged_files, pytest_arguments, report

TABLE = "modules.toml"
# Exit codes that mutmut notes. All others are a test that fails, a program that hangs or crashes.
_FATES = {0: "unnoticed", 33: "unreached"}

# A module, and the exit code of one of its changes: None where it has not been tried.
_Noted = dict[str, tuple[str, int | None]]


def mutate(modules: Sequence[str], most: int, seed: int) -> list[Mutant]:
    """Changes modules, each in `most` places at most, drawn by `seed`; returns every change with its fate.

    The modules are judged together, each change by those tests that run the changed function.
    """
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        work = Path(folder)
        copy_tree(work)
        _configure(work, modules)
        # Tries the first change of every function, and writes all others down.
        _run_mutmut(work, ["*__mutmut_1"])
        noted = _noted(work, modules)
        drawn = list(_draw(noted, most, seed))
        _run_mutmut(work, [name for name in drawn if noted[name][1] is None])
        noted = _noted(work, modules)
        return [_mutant(work, name, *noted[name]) for name in drawn]


def imported_as(module: str) -> str:
    """Returns the path by which tests import a module: `tinycerb/converters` is a link to `converters`."""
    return module if module.startswith("tinycerb/") else f"tinycerb/{module}"


def _configure(work: Path, modules: Sequence[str]) -> None:
    settings = {
        # Copied by mutmut as files, not as links: the name that tests import is the one that is changed.
        "source_paths": [imported_as(module) for module in modules],
        "also_copy": list(COPIED),
        "pytest_add_cli_args_test_selection": pytest_arguments(judged_files(TABLE), modules),
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        # Networks and their threads do not survive a fork.
        "process_isolation": "forkserver",
        "use_git_change_detection": False,
    }
    with (work / "pyproject.toml").open("a") as file:
        file.write("\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))


def _mutmut() -> str:
    program = Path(sys.executable).with_name("mutmut")
    if not program.exists():
        sys.exit(f"{program} is not installed; install it with: make mutation")
    return str(program)


def _run_mutmut(work: Path, names: Sequence[str]) -> None:
    if not names:
        return
    command = [_mutmut(), "run", "--max-children", "1", *names]
    done = subprocess.run(command, cwd=work, env=inner_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"mutmut failed (exit code {done.returncode}):\n{(done.stdout + done.stderr)[-6000:]}")


def _noted(work: Path, modules: Sequence[str]) -> _Noted:
    found: _Noted = {}
    for module in modules:
        codes = json.loads((work / "mutants" / f"{imported_as(module)}.meta").read_text())["exit_code_by_key"]
        found |= {name: (module, code) for name, code in codes.items()}
    return found


def _draw(noted: _Noted, most: int, seed: int) -> Iterator[str]:
    """The first change of every function, then any."""
    for module in dict.fromkeys(module for module, _ in noted.values()):
        names = sorted(name for name, (owner, _) in noted.items() if owner == module)
        random.Random(seed).shuffle(names)
        yield from sorted(names, key=lambda name: not name.endswith("__mutmut_1"))[:most]


def _mutant(work: Path, name: str, module: str, code: int | None) -> Mutant:
    if code is None:
        sys.exit(f"mutmut has not tried {name}")
    fate = _FATES.get(code, "noticed")
    if fate != "unnoticed":
        return Mutant(module, fate)
    command = [_mutmut(), "show", name]
    shown = subprocess.run(command, cwd=work, capture_output=True, text=True, check=True).stdout.splitlines()
    was = [line[1:].strip() for line in shown if line.startswith("-") and not line.startswith("---")]
    became = [line[1:].strip() for line in shown if line.startswith("+") and not line.startswith("+++")]
    return Mutant(module, fate, " ".join(was), " ".join(became))


def main() -> None:
    """Prints a line of the table and the survivors of every module on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="+", help=f"files of {TABLE}, or folders of them")
    parser.add_argument("--most", type=int, default=60, help="changes per module, drawn by the seed (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chosen = [module for module in judged_files(TABLE) if module.startswith(tuple(arguments.modules))]
    if not chosen:
        parser.error(f"none of {', '.join(arguments.modules)} stands in tests/mutation/{TABLE}")
    mutants = mutate(chosen, arguments.most, arguments.seed)
    for module in chosen:
        print(report([mutant for mutant in mutants if mutant.file == module]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
