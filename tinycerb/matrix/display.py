"""How a matrix fills: a live table on a terminal, plain lines elsewhere. All on standard error."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tinycerb.bench.cell import CellContent, CellResult
from tinycerb.events import Progress
from tinycerb.matrix.cells import MatrixCell

# Characters of a terminal that a row's name and a group of cells take, lines between columns included.
_NAME_WIDTH, _GROUP_WIDTH = 13, 12


class MatrixDisplay(Protocol):
    """Takes what happens to cells."""

    def begin(
        self, cells: Sequence[MatrixCell], finished: Mapping[str, CellContent], seconds: Mapping[str, float]
    ) -> None:
        """All cells, contents of those that are done, and the estimated seconds of each."""
        ...

    def advance(self, cell: MatrixCell, progress: Progress) -> None:
        """A cell got somewhere."""
        ...

    def finish(self, cell: MatrixCell, result: CellResult, seconds: float) -> None:
        """A cell is done."""
        ...

    def say(self, text: str) -> None:
        """Something that whoever watches should know."""
        ...

    def end(self) -> None:
        """Nothing more will come."""
        ...


def make_matrix_display(workers: int, quiet: bool = False) -> MatrixDisplay:
    """Returns the display that fits standard error; quiet ones still say what should be known."""
    console = Console(stderr=True, force_jupyter=False)
    board = Scoreboard(workers)
    return _Live(console, board) if console.is_terminal and not quiet else _Lines(console, board, quiet)


class Scoreboard:
    """How many cells are done, the best clone of each group, and how long the rest takes."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._started = time.monotonic()
        self.cells: list[MatrixCell] = []
        self.results: dict[str, CellResult] = {}
        self._estimates: dict[str, float] = {}
        self._measured: dict[str, float] = {}
        self.victims: list[str] = []
        self.attacks: list[str] = []

    def begin(
        self, cells: Sequence[MatrixCell], finished: Mapping[str, CellContent], seconds: Mapping[str, float]
    ) -> None:
        """Starts counting."""
        self.cells, self._estimates = list(cells), dict(seconds)
        self.results = {digest: content["result"] for digest, content in finished.items()}
        self.victims = list(dict.fromkeys(cell.spec.victim for cell in cells))
        self.attacks = list(dict.fromkeys(cell.spec.attack.name for cell in cells))

    def finish(self, cell: MatrixCell, result: CellResult, seconds: float) -> None:
        """Counts a cell."""
        self.results[cell.digest] = result
        self._measured[cell.digest] = seconds

    @property
    def done(self) -> int:
        """How many cells are done."""
        return sum(cell.digest in self.results for cell in self.cells)

    def seconds_left(self) -> float:
        """Estimates what is left, corrected by how wrong the estimates were so far."""
        expected = sum(self._estimates[digest] for digest in self._measured)
        factor = sum(self._measured.values()) / expected if expected else 1.0
        left = sum(self._estimates[cell.digest] for cell in self.cells if cell.digest not in self.results)
        return factor * left / self._workers

    def group(self, victim: str, attack: str) -> str:
        """`2/4 61.3%`: done of all, and the best clone so far."""
        digests = [c.digest for c in self.cells if (c.spec.victim, c.spec.attack.name) == (victim, attack)]
        found = [self.results[digest]["clone_accuracy"] for digest in digests if digest in self.results]
        best = f" {max(found):.1%}" if found else ""
        return f"{len(found)}/{len(digests)}{best}" if digests else "-"

    def progress(self, victim: str) -> str:
        """`12/40`: done of all of a victim's cells."""
        digests = [cell.digest for cell in self.cells if cell.spec.victim == victim]
        return f"{sum(digest in self.results for digest in digests)}/{len(digests)}"

    def best(self, victim: str, threat: str) -> str:
        """`61.3% knockoff`: a victim's best clone so far from attackers of one kind, and the attack that made it."""
        found = [
            (self.results[cell.digest]["clone_accuracy"], cell.spec.attack.name)
            for cell in self.cells
            if (cell.spec.victim, cell.threat) == (victim, threat) and cell.digest in self.results
        ]
        return "{:.1%} {}".format(*max(found)) if found else ""

    def summary(self) -> str:
        """`12 of 40 cells, about 3 min left`."""
        return f"{self.done} of {len(self.cells)} cells, about {duration(self.seconds_left())} left"


def duration(seconds: float) -> str:
    """Tells seconds as people would: `40 s`, `12 min`, `2 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class _Lines:
    """A line for each finished cell."""

    def __init__(self, console: Console, board: Scoreboard, quiet: bool) -> None:
        self._console, self._board, self._quiet = console, board, quiet

    def begin(
        self, cells: Sequence[MatrixCell], finished: Mapping[str, CellContent], seconds: Mapping[str, float]
    ) -> None:
        self._board.begin(cells, finished, seconds)
        self._line(self._board.summary())

    def advance(self, cell: MatrixCell, progress: Progress) -> None: ...

    def finish(self, cell: MatrixCell, result: CellResult, seconds: float) -> None:
        self._board.finish(cell, result, seconds)
        self._line(f"{cell.key}: {result['clone_accuracy']:.1%} in {seconds:.0f} s; {self._board.summary()}")

    def _line(self, text: str) -> None:
        if not self._quiet:
            self.say(text)

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def end(self) -> None: ...


class _Live:
    """Rows are defences, columns attacks, or where these do not fit, the attack that made the best clone."""

    def __init__(self, console: Console, board: Scoreboard) -> None:
        self._board, self._console = board, console
        self._running: dict[str, str] = {}
        self._live = Live(console=console, refresh_per_second=2, get_renderable=self._render)

    def begin(
        self, cells: Sequence[MatrixCell], finished: Mapping[str, CellContent], seconds: Mapping[str, float]
    ) -> None:
        self._board.begin(cells, finished, seconds)
        self._live.start()

    def advance(self, cell: MatrixCell, progress: Progress) -> None:
        self._running[cell.key] = f"{progress.done / max(progress.total, 1):4.0%} {progress.note}"

    def finish(self, cell: MatrixCell, result: CellResult, seconds: float) -> None:
        self._running.pop(cell.key, None)
        self._board.finish(cell, result, seconds)

    def say(self, text: str) -> None:
        self._live.console.print(text, highlight=False, markup=False)

    def end(self) -> None:
        self._live.stop()

    def _render(self) -> Group:
        fits = self._console.width >= _NAME_WIDTH + _GROUP_WIDTH * len(self._board.attacks)
        table = self._by_attack() if fits else self._best_only()
        running = [Text(f"  {key} {note}", overflow="ellipsis", no_wrap=True) for key, note in self._running.items()]
        return Group(table, *running, Text(self._board.summary()))

    def _by_attack(self) -> Table:
        table = Table(title="cells done, best clone so far")
        table.add_column("", overflow="fold")
        for attack in self._board.attacks:
            table.add_column(attack.replace("-", "-\n").replace("_", "_\n"), justify="right", overflow="fold")
        for victim in self._board.victims:
            table.add_row(victim, *(self._board.group(victim, attack) for attack in self._board.attacks))
        return table

    def _best_only(self) -> Table:
        threats = sorted({cell.threat for cell in self._board.cells})
        table = Table(title="cells done, best clone so far")
        for header in ("", "cells", *threats):
            table.add_column(header, justify="right" if header == "cells" else "left", overflow="fold")
        for victim in self._board.victims:
            best = (self._board.best(victim, threat) for threat in threats)
            table.add_row(victim, self._board.progress(victim), *best)
        return table
