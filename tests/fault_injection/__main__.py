"""Faults at random points of `tinycerb run smoke` and `tinycerb bench matrix ci`: `make fault-injection`.

A point is a run that is so far, and a fault in what follows; then the same command goes on with --resume and must end
with the bytes of a run that was left alone, or name the command that mends it. The same seed makes the same points.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fault_injection.faults import FAULTS, tinycerb
from tests.fault_injection.points import Job, Outcome, try_point

_ROW = "{:>3} {:7} {:>8} {:42} {:34} {:>5} {:>6}  {}\n"


def main() -> None:
    """Tries points and prints a line for each; exit 1 if one of them did not end well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--first", type=int, default=0, help="Begin with this point, where an earlier call was stopped."
    )
    parser.add_argument("--folder", type=Path, help="Where runs go; references that are there are taken.")
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tinycerb-faults-") as temporary:
        folder = (wishes.folder or Path(temporary)).absolute()
        sys.exit(_try_points(range(wishes.first, wishes.points), wishes.seed, folder))


def _try_points(points: range, seed: int, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        _job("run", folder / "run-reference", ("run", "smoke", "--quiet", "--out"), ("run", "--quiet", "--resume")),
        _job(
            "matrix", folder / "matrix-reference", ("bench", "matrix", "ci", "--quiet", "--out"),
            ("bench", "matrix", "--quiet", "--resume"),
        ),
    ]  # fmt: skip
    rng = random.Random(seed)
    # Every fault as often as the others, whatever their number.
    order = [fault for _ in range(points.stop // len(FAULTS) + 1) for fault in rng.sample(list(FAULTS), len(FAULTS))]
    sys.stdout.write(_ROW.format("", "job", "so far", "fault", "where", "exit", "s", "ended"))
    failed = 0
    for index in points:
        home = folder / f"point-{seed}-{index}"
        # Of a call that was stopped.
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        outcome = try_point(jobs[index % 2], order[index], home, random.Random(seed * 1000 + index))
        failed += bool(outcome.faults)
        _print(index, outcome)
    sys.stdout.write(f"{len(points) - failed} of {len(points)} points ended well\n")
    return int(failed > 0)


def _job(name: str, reference: Path, start: tuple[str, ...], resume: tuple[str, ...]) -> Job:
    begun = (reference / "config.toml").exists()
    # One that is finished is left as it is.
    subprocess.run(tinycerb(*(resume if begun else start), reference), check=True, stdout=subprocess.DEVNULL)
    return Job(name, reference, start, resume)


def _print(index: int, outcome: Outcome) -> None:
    ended = "; ".join(outcome.faults).replace("\n", " ") or outcome.ended
    row = (outcome.job, outcome.state, outcome.fault, outcome.where[-34:], outcome.first, f"{outcome.seconds:.0f}")
    sys.stdout.write(_ROW.format(index, *row, ended))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
