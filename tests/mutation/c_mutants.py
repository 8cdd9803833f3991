"""Small wrong changes, put into the C runtime: how many do the tests on this computer notice?

    python -m tests.mutation.c_mutants firmware_stub/application/frame.c [--most 60] [--seed 1]

Which tests judge which file stands in c_files.toml, why a change that nobody notices may stay in survivors.toml. What
does not compile, and what compiles to the same code, is no change. The tree is copied first: nothing in it is changed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutation.c_changes import changes_of, draw
from tests.mutation.tree import ROOT, Mutant, copy_tree, inner_environment, judged_files, pytest_arguments, report

TABLE = "c_files.toml"


def mutate(file: str, most: int, seed: int) -> list[Mutant]:
    """Changes a C file in `most` places at most, drawn by `seed`; returns every change with its fate."""
    changes = draw(changes_of((ROOT / file).read_text()), most, seed)
    order = {
        "file": file,
        "sources": [change.source for change in changes],
        "pytest": pytest_arguments(judged_files(TABLE), [file]),
    }
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        work = Path(folder)
        copy_tree(work)
        command = [sys.executable, "-m", "tests.mutation.c_judge", str(work / "fates.json")]
        environment = inner_environment(PYTHONPATH=folder)
        done = subprocess.run(
            command, cwd=work, env=environment, input=json.dumps(order), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            sys.exit(
                f"{file} could not be judged (exit code {done.returncode}):\n{(done.stdout + done.stderr)[-6000:]}"
            )
        fates = json.loads((work / "fates.json").read_text())
    return [
        Mutant(file, fate, change.was, change.became)
        for change, fate in zip(changes, fates, strict=True)
        if fate in ("noticed", "unnoticed")
    ]


def main() -> None:
    """Prints a line of the table and the survivors of every file on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help=f"files of {TABLE}, or folders of them")
    parser.add_argument("--most", type=int, default=60, help="changes per file, drawn by the seed (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chosen = [file for file in judged_files(TABLE) if file.startswith(tuple(arguments.files))]
    if not chosen:
        parser.error(f"none of {', '.join(arguments.files)} stands in tests/mutation/{TABLE}")
    for file in chosen:
        print(report(mutate(file, arguments.most, arguments.seed)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
