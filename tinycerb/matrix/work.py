"""The stretches of a matrix's work: victims first, then cells, here or on a cluster."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from tinycerb.bench.cell import CellContent
from tinycerb.config import Config
from tinycerb.datasets import load_dataset
from tinycerb.errors import TinyCerbError
from tinycerb.jobs.plan import plan
from tinycerb.jobs.task import Task
from tinycerb.matrix.cells import MatrixCell, Skipped, list_cells, take_stock
from tinycerb.matrix.display import MatrixDisplay
from tinycerb.matrix.estimate import estimate_seconds
from tinycerb.matrix.only import choose_cells
from tinycerb.run.directory import RunDirectory

# What a cell needs of its victim, in order.
VICTIM_KINDS = ("teacher", "pretrain", "search_ratio", "train", "candidate", "choose", "convert", "measure")


class Compute(Protocol):
    """Computes cells and returns one error for each that failed."""

    def __call__(self, cells: Sequence[MatrixCell], display: MatrixDisplay) -> list[TinyCerbError]:
        """Each finished cell lies in its run afterwards, and `display` was told its result."""
        ...


@dataclass(frozen=True)
class Matrix:
    """A matrix as it is to be worked on.

    Attributes:
        runs: one per victim seed.
        cells: all cells.
        chosen: those that `--only` leaves.
        skipped: what was left out.
        seconds: estimates by digest.
    """

    runs: Sequence[RunDirectory]
    cells: Sequence[MatrixCell]
    chosen: Sequence[MatrixCell]
    skipped: Sequence[Skipped]
    seconds: dict[str, float]


def lay_out(runs: Sequence[RunDirectory], only: Sequence[str]) -> Matrix:
    """Lists the cells of these runs and estimates them; errors as `list_cells` and `choose_cells`."""
    cells, skipped = list_cells(runs)
    height, width, channels = load_dataset(runs[0].config.data).image_shape
    return Matrix(runs, cells, choose_cells(cells, only), skipped, estimate_seconds(cells, height * width * channels))


def victim_tasks(config: Config, victims: Collection[str]) -> list[Task]:
    """Returns what must be done before cells of these victims can be computed, and for the baseline beside them.

    Nothing, where there are no victims: a seed that was not chosen is not trained.
    """
    if not victims:
        return []
    tasks = {task.key: task for task in plan(config) if task.kind in VICTIM_KINDS}
    wanted: set[str] = set()
    waiting = [f"measure/{name}" for name in {*victims, config.bench.baseline}]
    while waiting:
        key = waiting.pop()
        if key not in wanted:
            wanted.add(key)
            waiting += tasks[key].after
    return [task for key, task in tasks.items() if key in wanted]


def compute_cells(matrix: Matrix, compute: Compute, display: MatrixDisplay) -> list[TinyCerbError]:
    """Computes the chosen cells that are not done; returns one error for each that failed."""
    finished, damaged = take_stock(matrix.chosen)
    for sentence in damaged:
        display.say(sentence)
    display.begin(matrix.chosen, finished, matrix.seconds)
    try:
        left = [cell for cell in matrix.chosen if cell.digest not in finished]
        # The longest first: the last ones to end are short, and no worker waits long.
        return compute(sorted(left, key=lambda cell: -matrix.seconds[cell.digest]), display) if left else []
    finally:
        display.end()


def finished_cells(matrix: Matrix) -> dict[str, CellContent]:
    """Returns the contents of all cells of the matrix that are done, whether they were chosen this time or not."""
    return take_stock(matrix.cells)[0]
