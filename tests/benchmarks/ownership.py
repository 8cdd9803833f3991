"""How well ownership is shown: clones, independent networks, removals and evasion, one row each in a file of its own.

make bench-ownership ARGS="--out FOLDER [--committed | --seeds 1 2 3] [--only TEXT ...] [--figure FILE] [--dry-run]"

Unattended: trains the preset `ownership` under an owner key of its own for every seed, steals it by all of the preset's
attacks, removes and evades, and prints the table. Goes on where it was stopped: a row that is there is not computed
again. `--committed` takes the committed networks instead, whose owner is the public, and trains nothing but clones.
`--figure` alone draws the calibration of p-values that an earlier call has kept, in a second.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

from tests.benchmarks.ownership_table.calibration import draw, measure
from tests.benchmarks.ownership_table.rows import Row, rows_of
from tests.benchmarks.ownership_table.subject import Target, committed, trained
from tests.benchmarks.ownership_table.words import HEADER, RowFacts, line
from tinycerb.atomic import read_json, write_json
from tinycerb.errors import TinyCerbError
from tinycerb.ownership.owner_key import new_owner_key, write_owner_key

# Of one core with nothing else to do: five networks of the preset.
_SECONDS_OF_TRAINING = 2400
PRESET = "ownership"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def train(folder: Path, seed: int, preset: str) -> None:
    """Trains and converts a seed's victims under a key of their own, or goes on with that."""
    run, key = folder / f"run-{seed}", folder / f"owner-{seed}.key"
    if not key.exists():
        write_owner_key(key, new_owner_key())
    start = ["--resume", str(run)] if run.exists() else [preset, "--set", f"seed={seed}", "--out", str(run)]
    for words in (["train", *start, "--owner", str(key)], ["convert", str(run)]):
        subprocess.run([sys.executable, "-m", "tinycerb", *words, "--quiet"], check=True, env=os.environ)


def table(folder: Path, rows: list[Row]) -> list[str]:
    """Computes the rows that are missing, and prints all; returns what went wrong with those that there are not."""
    say(HEADER)
    wrong = []
    for row in rows:
        file = folder / f"{row.name}.json"
        if not file.exists():
            begun = time.process_time()
            try:
                content = row.make()
            except TinyCerbError as error:
                # Hours of other rows do not wait for somebody who looks.
                wrong.append(f"{row.name}: {error}")
                continue
            write_json(file, {**content, "seconds": round(time.process_time() - begun, 1)})
        say(line(row.name, cast(RowFacts, read_json(file))))
    return wrong


def chosen(rows: list[Row], only: list[str]) -> list[Row]:
    return [row for row in rows if not only or any(text in row.name for text in only)]


def main() -> None:
    """Makes what is missing of the table, and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default=PRESET)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--committed", action="store_true")
    parser.add_argument("--only", nargs="+", default=[], metavar="TEXT")
    parser.add_argument("--removal", nargs="+", default=[], metavar="NAME,K=V", help="further rows, as wrk,away=0.1")
    parser.add_argument("--networks", type=int, default=40, help="small independent networks; half of them make p0")
    parser.add_argument("--keys", type=int, default=1000, help="fresh keys of the calibration")
    parser.add_argument("--figure", type=Path, help="draw the calibration that is kept into this PNG, and end")
    parser.add_argument("--dry-run", action="store_true")
    given = parser.parse_args()
    seeds = [None] if given.committed else given.seeds
    folders = {seed: given.out / ("committed" if seed is None else f"seed-{seed}") for seed in seeds}
    if given.dry_run:
        seconds = 0.0
        for seed, folder in folders.items():
            rows = chosen(rows_of(None, given.preset, given.networks, given.removal), given.only)
            missing = [row for row in rows if not (folder / f"{row.name}.json").exists()]
            done = seed is None or (given.out / f"run-{seed}" / "metrics.json").exists()
            seconds += sum(row.seconds for row in missing) + (0 if done else _SECONDS_OF_TRAINING)
            say(f"{folder}: {len(missing)} of {len(rows)} rows are missing{'' if done else ', and the training'}")
        say(f"about {seconds / 3600:.1f} hours of one core")
        return
    if given.figure:
        for folder in folders.values():
            # Of several seeds the first that is kept would be overwritten by the next.
            file = given.figure if len(folders) == 1 else given.figure.with_stem(f"{given.figure.stem}-{folder.name}")
            try:
                say(draw(folder, given.networks, given.keys, file))
            except TinyCerbError as error:
                parser.error(str(error))
        return
    wrong = []
    for seed, folder in folders.items():
        folder.mkdir(parents=True, exist_ok=True)
        if seed is not None:
            train(given.out, seed, given.preset)
        subject = committed(given.out) if seed is None else trained(given.out, seed)
        wrong += table(folder, chosen(rows_of(subject, given.preset, given.networks, given.removal), given.only))
        if not given.only:
            target = Target(subject, subject.protected, given.networks)
            if measured := measure(target, folder, given.networks, given.keys):
                say(measured)
                say(draw(folder, given.networks, given.keys, folder / "calibration.png"))
    if wrong:
        raise SystemExit("\n".join(["rows that there are not:", *wrong]))


if __name__ == "__main__":
    main()
