"""One point: a run that is so far, a fault while work goes on, and what comes of it when it is taken up again."""

import random
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fault_injection.faults import FAULTS, Struck, tinycerb
from tests.fault_injection.states import cut_back, differences, lines_of

# What a command may end with that met a fault: it went on, it says what is wrong with the machine, it was killed.
_FAIR = (0, 3, -9, 137)


@dataclass(frozen=True)
class Job:
    """A command that is interrupted.

    Attributes:
        name: names it in the table.
        reference: a run of it that was left alone.
        start: its arguments, up to where the run is to be.
        resume: its arguments with which it goes on.
    """

    name: str
    reference: Path
    start: Sequence[str]
    resume: Sequence[str]


@dataclass
class Outcome:
    """What came of a point; `faults` is empty if all is well."""

    job: str
    state: str
    fault: str
    where: str
    first: int
    ended: str
    seconds: float
    faults: list[str] = field(default_factory=list)


def try_point(job: Job, fault: str, folder: Path, rng: random.Random, line: int = 0) -> Outcome:
    """Tries a point.

    Args:
        job: what is interrupted.
        fault: a key of `FAULTS`.
        folder: an empty one, for the run and notes.
        rng: decides on everything else.
        line: how many lines the manifest has by then; 0 for any number.
    """
    started = time.monotonic()
    total = len(lines_of(job.reference))
    line = line or rng.randint(2, total)
    run, notes = folder / "run", folder / "notes"
    notes.mkdir()
    cut_back(job.reference, run, line)
    begun = (run / "config.toml").exists()
    command = tinycerb(*(job.resume if begun else job.start), run)
    struck = FAULTS[fault](command, run, notes, rng, total - line + 1)
    outcome = Outcome(job.name, f"{line}/{total}", fault, struck.where, struck.code, "", 0.0)
    outcome.faults += judge(struck)
    await_silence(run)
    begun = (run / "config.toml").exists()
    done = _call(tinycerb(*(job.resume if begun else job.start), run))
    outcome.ended = "same bytes"
    if done.returncode != 0:
        outcome.ended = _named_command(done.stderr)
        outcome.faults += [] if outcome.ended else [f"resume: exit {done.returncode}: {done.stderr[-500:]}"]
    else:
        outcome.faults += differences(run, job.reference)
        check = _call(tinycerb("check", run))
        outcome.faults += [] if check.returncode == 0 else [f"check: {check.stdout[-800:]}{check.stderr[-300:]}"]
    outcome.seconds = time.monotonic() - started
    if not outcome.faults:
        shutil.rmtree(folder)
    return outcome


def judge(struck: Struck) -> list[str]:
    """Returns what is wrong with how a command took a fault."""
    if struck.code not in _FAIR:
        return [f"exit {struck.code}: {struck.said[-500:]}"]
    if struck.code == 3 and "tinycerb" not in struck.said and "--resume" not in struck.said:
        return [f"names no way on: {struck.said[-500:]}"]
    return ["a traceback"] if "Traceback" in struck.said else []


def _named_command(said: str) -> str:
    found = re.findall(r"tinycerb [a-z][^;\n]*", said.rsplit("error:", 1)[-1])
    return f"named: {found[-1]}" if found else ""


def await_silence(run: Path) -> None:
    """Workers end by themselves when their command is gone."""
    for _ in range(100):
        if not _at_work(run):
            return
        time.sleep(0.1)


def _at_work(run: Path) -> bool:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(run).encode() in words and any(word.startswith(b"tinycerb.") for word in words):
            return True
    return False


def _call(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
