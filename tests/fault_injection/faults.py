"""What may go wrong while a command works on a run."""

import os
import random
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinycerb.seal.care import covered_files
from tinycerb.seal.remedies import IRREPLACEABLE

_HOOK = Path(__file__).with_name("hook")
_TIME_LIMIT = 900


@dataclass(frozen=True)
class Struck:
    """A command that met a fault.

    Attributes:
        where: the place of the fault, in words.
        code: the exit code; below 0 the signal that ended it.
        said: what it wrote to standard error.
    """

    where: str
    code: int
    said: str


# (command, run directory, a folder for notes, random numbers, how many files the command will write) -> what came of it
Fault = Callable[[Sequence[str], Path, Path, random.Random, int], Struck]


def _at_a_file(kind: str) -> Fault:
    def strike(command: Sequence[str], run: Path, notes: Path, rng: random.Random, files: int) -> Struck:
        number = rng.randint(1, files)
        environment = {
            **os.environ,
            "PYTHONPATH": f"{_HOOK}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "TINYCERB_FAULT": f"{kind}:{number}",
            "TINYCERB_FAULT_NOTES": str(notes / "counted"),
        }
        struck = _called(f"file {number}", command, environment)
        counted = (notes / "counted").stat().st_size if (notes / "counted").exists() else 0
        return struck if counted >= number else replace(struck, where=f"file {number}, of {counted}: not struck")

    return strike


def _at_a_moment(command: Sequence[str], run: Path, notes: Path, rng: random.Random, files: int) -> Struck:
    seconds = rng.uniform(0.5, 1 + files)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
    return Struck(f"after {seconds:.0f} s", process.returncode, said)


def _full_disk(command: Sequence[str], run: Path, notes: Path, rng: random.Random, files: int) -> Struck:
    """The run lies on a file system of its own that has some room left."""
    used = sum(4096 * (path.stat().st_size // 4096 + 2) for path in run.rglob("*"))
    room = rng.choice((8, 24, 64, 160, 400)) * 1024
    shell = (
        f"cp -a {run} {notes}/in && mount -t tmpfs -o size={used + room} tmpfs {run} && cp -a {notes}/in/. {run}/ && "
        f"{shlex.join(command)}; code=$?; cp -a {run} {notes}/out; exit $code"
    )
    struck = _apart(f"{room // 1024} KiB left", shell)
    _exchange(run, notes / "out")
    return struck


def _read_only(command: Sequence[str], run: Path, notes: Path, rng: random.Random, files: int) -> Struck:
    folder = rng.choice([run, *sorted(path for path in run.rglob("*") if path.is_dir() and path.name != "events")])
    shell = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec {shlex.join(command)}"
    return _apart(f"{folder.relative_to(run.parent)}", shell)


def _damage(command: Sequence[str], run: Path, notes: Path, rng: random.Random, files: int, only: str = "") -> Struck:
    """A file has changed before the command starts, by a bit or by its end."""
    there = [path for path in covered_files(run) if path.name not in IRREPLACEABLE and only in path.name]
    if not there:
        return _called("no file there", command, {**os.environ})
    path = rng.choice(there)
    content = bytearray(path.read_bytes())
    if content and rng.random() < 0.5:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    else:
        content = content[: len(content) // 2]
    path.write_bytes(content)
    return _called(str(path.relative_to(run)), command, {**os.environ})


def _damaged_checkpoint(command: Sequence[str], run: Path, notes: Path, rng: random.Random, files: int) -> Struck:
    return _damage(command, run, notes, rng, files, only="checkpoint.npz")


FAULTS: dict[str, Fault] = {
    "kill -9 the command, before a file's name": _at_a_file("command-before"),
    "kill -9 the command, after a file's name": _at_a_file("command-after"),
    "kill -9 the command, at any moment": _at_a_moment,
    "kill -9 who writes, before a file's name": _at_a_file("worker-before"),
    "kill -9 who writes, after a file's name": _at_a_file("worker-after"),
    "no memory": _at_a_file("memory-after"),
    "a full disk": _full_disk,
    "a read-only folder": _read_only,
    "a damaged artefact": _damage,
    "a damaged checkpoint": _damaged_checkpoint,
}


def tinycerb(*arguments: object) -> list[str]:
    """Returns the command line of a `tinycerb` command."""
    return [sys.executable, "-m", "tinycerb", *map(str, arguments)]


def _called(where: str, command: Sequence[str], environment: dict[str, str]) -> Struck:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_TIME_LIMIT)
    return Struck(where, done.returncode, done.stderr)


def _apart(where: str, shell: str) -> Struck:
    """Runs a shell as root of a mount namespace of its own."""
    return _called(where, ["unshare", "--map-root-user", "--mount", "sh", "-c", shell], {**os.environ})


def _exchange(run: Path, other: Path) -> None:
    import shutil

    shutil.rmtree(run)
    shutil.copytree(other, run)
