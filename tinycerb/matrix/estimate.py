"""How long a cell will take: from cells like it that are done, else from what the work consists of."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from tinycerb import file_names
from tinycerb.attacks import attack_of
from tinycerb.matrix.cells import MatrixCell
from tinycerb.run.directory import RunDirectory

# Rough, for one core and 28x28 grey images: seconds for each thousand images that a student trains on, for a cell's
# start and its measurements, and for each thousand questions. Cells that are done replace them.
_SECONDS_PER_THOUSAND = {"lenet": 0.16, "plain_cnn": 0.35, "batchnorm_cnn": 0.40}
_UNKNOWN_STUDENT, _START, _ASKING = 0.4, 6.0, 0.3
_MEASURED_PIXELS = 28 * 28


def seconds_file(run: RunDirectory) -> Path:
    """Where the seconds of finished cells are noted."""
    return run.path / file_names.CELL_SECONDS


def note_seconds(cell: MatrixCell, seconds: float) -> None:
    """Notes how long a cell took; for estimates alone, no result depends on it."""
    with seconds_file(cell.run).open("a") as file:
        file.write(f"{cell.digest},{seconds:.2f}\n")


def estimate_seconds(cells: Sequence[MatrixCell], pixels: int) -> dict[str, float]:
    """Estimates each cell's seconds on one core.

    Args:
        cells: the cells.
        pixels: height x width x channels of an image.

    Returns:
        Seconds by digest: the median of cells of the same attack, budget and student where some are done, else by
        count of the images asked and trained on, times the attack's `relative_cost` if it states one.
    """
    noted = _noted(dict.fromkeys(seconds_file(cell.run) for cell in cells))
    alike: dict[tuple, list[float]] = {}
    for cell in cells:
        if cell.digest in noted:
            alike.setdefault(_kind(cell), []).append(noted[cell.digest])
    return {
        cell.digest: median(alike[_kind(cell)]) if _kind(cell) in alike else _by_count(cell, pixels) for cell in cells
    }


def _kind(cell: MatrixCell) -> tuple:
    return cell.spec.attack.name, cell.spec.attack.budget, cell.spec.student


def _noted(files: Iterable[Path]) -> dict[str, float]:
    noted = {}
    for file in files:
        if file.exists():
            # A process that was killed may leave half a line.
            rows = [row for row in csv.reader(file.read_text().splitlines()) if len(row) == 2]
            noted.update({digest: float(seconds) for digest, seconds in rows if seconds.replace(".", "", 1).isdigit()})
    return noted


def _by_count(cell: MatrixCell, pixels: int) -> float:
    attack = cell.spec.attack
    asked = (attack.budget or cell.images) / 1000
    each = _SECONDS_PER_THOUSAND.get(cell.spec.student, _UNKNOWN_STUDENT) * pixels / _MEASURED_PIXELS
    relative = float(getattr(attack_of(attack), "relative_cost", 1.0))
    return _START + asked * (_ASKING + relative * attack.epochs * attack.members * each)
