"""Tries changes of one C file in the tree where it stands, which it leaves changed; c_mutants.py makes that tree.

Reads a JSON object from standard input: `file`, `sources` (one per change) and `pytest` (arguments). Writes a list to
the file that the command line names: for every change `same` (the compiler makes the same code of it: nothing is
wrong), `refused` (it does not compile), `noticed` or `unnoticed`.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Seconds: of computing, and of the clock, which on a busy machine runs ahead of it.
_LONGEST, _LATEST = 15, 900
# What serve.c is compiled with.
_DEFINES = ("-DTC_QUERY_LIMIT=2", "-DTC_QUERY_PERIOD=7500", "-DTC_CLOCK_HZ=1000u")


def compiled(file: Path, folder: Path) -> bytes | None:
    """Returns the object code of a file, None if it does not compile."""
    includes = [folder, *(Path("firmware_stub") / part for part in ("include", "kernels", "target", "application"))]
    command = ["cc", "-std=c99", "-O2", "-w", *_DEFINES, *(f"-I{path}" for path in includes), "-c", str(file)]
    done = subprocess.run([*command, "-o", str(folder / "judged.o")], capture_output=True, check=False)
    return (folder / "judged.o").read_bytes() if done.returncode == 0 else None


def tests_pass(arguments: list[str]) -> bool:
    """Runs pytest in a child that has everything imported already; what takes too long has not passed."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (_LONGEST, _LONGEST))
        signal.alarm(_LATEST)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *arguments]))
    _, status = os.waitpid(child, 0)
    return status == 0


def main() -> None:
    """See above."""
    # Of the tree that is changed, not of the one that this module was written in.
    from tests.fuzz.test_c_fuzz import write_served_model

    order = json.load(sys.stdin)
    file, folder = Path(order["file"]), Path("served")
    folder.mkdir()
    write_served_model(folder)
    right = file.read_text()
    unchanged = compiled(file, folder)
    if unchanged is None or not tests_pass(order["pytest"]):
        sys.exit(f"{file} does not compile or pass its tests as it is")
    fates = []
    for source in order["sources"]:
        file.write_text(source)
        found = compiled(file, folder)
        if found is None:
            fates.append("refused")
        elif found == unchanged:
            fates.append("same")
        else:
            fates.append("unnoticed" if tests_pass(order["pytest"]) else "noticed")
        file.write_text(right)
    Path(sys.argv[1]).write_text(json.dumps(fates))


if __name__ == "__main__":
    main()
