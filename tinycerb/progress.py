"""Shows tasks on the terminal: bars with an estimate where there is one, plain lines elsewhere. All on stderr."""

import time
from collections.abc import Collection, Mapping
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Column

from tinycerb.events import Progress

_PLAIN_EVERY_SECONDS = 20.0
_BAR_WIDTH = 10


class Display(Protocol):
    """Takes what happens to tasks."""

    def begin(self, costs: Mapping[str, float], finished: Collection[str]) -> None:
        """All tasks with their rough costs, and those that are done already."""
        ...

    def start(self, key: str) -> None:
        """A task starts."""
        ...

    def advance(self, key: str, progress: Progress) -> None:
        """A task got somewhere."""
        ...

    def finish(self, key: str, seconds: float) -> None:
        """A task is done."""
        ...

    def end(self) -> None:
        """Nothing more will come."""
        ...


def make_display(quiet: bool = False) -> Display:
    """Returns the display that fits standard error."""
    # A notebook has a standard error, too; results are what its cells show.
    console = Console(stderr=True, force_jupyter=False)
    if quiet:
        return _Silent()
    return _Terminal(console) if console.is_terminal else _Plain(console)


class _Silent:
    """Shows nothing."""

    def begin(self, costs: Mapping[str, float], finished: Collection[str]) -> None: ...

    def start(self, key: str) -> None: ...

    def advance(self, key: str, progress: Progress) -> None: ...

    def finish(self, key: str, seconds: float) -> None: ...

    def end(self) -> None: ...


class _Plain:
    """A line when a task starts and ends, and now and then in between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, float] = {}
        self._last: dict[str, str] = {}

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def begin(self, costs: Mapping[str, float], finished: Collection[str]) -> None:
        self._line(f"{len(costs)} tasks, {len(finished)} of them done already")

    def start(self, key: str) -> None:
        self._told[key] = time.monotonic()
        self._line(f"{key}: started")

    def advance(self, key: str, progress: Progress) -> None:
        self._last[key] = progress.note
        if time.monotonic() - self._told[key] > _PLAIN_EVERY_SECONDS:
            self._told[key] = time.monotonic()
            self._line(f"{key}: {progress.done / max(progress.total, 1):4.0%} {progress.note}")

    def finish(self, key: str, seconds: float) -> None:
        note = self._last.get(key, "")
        self._line(f"{key}: done in {seconds:.0f} s{', ' if note else ''}{note}")

    def end(self) -> None: ...


class _Terminal:
    """One bar for all work, one below it for each running task."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            BarColumn(bar_width=_BAR_WIDTH),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            # Last, and the only one that is ever cut: times are whole on every terminal.
            TextColumn(
                "{task.description}: {task.fields[note]}",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            console=console,
            expand=True,
        )
        self._costs: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._rows: dict[str, TaskID] = {}
        self._all = self._bars.add_task("all", total=None, note="")

    def begin(self, costs: Mapping[str, float], finished: Collection[str]) -> None:
        self._costs = dict(costs)
        self._shares = dict.fromkeys(finished, 1.0)
        self._bars.update(self._all, total=sum(costs.values()))
        self._bars.start()
        self._update_all()

    def start(self, key: str) -> None:
        self._rows[key] = self._bars.add_task(key, total=1.0, note="starting")

    def advance(self, key: str, progress: Progress) -> None:
        self._shares[key] = progress.done / max(progress.total, 1)
        self._bars.update(self._rows[key], completed=self._shares[key], note=progress.note)
        self._update_all()

    def finish(self, key: str, seconds: float) -> None:
        self._shares[key] = 1.0
        self._bars.remove_task(self._rows.pop(key))
        self._bars.console.print(f"[green]done[/] {key} ({seconds:.0f} s)", highlight=False)
        self._update_all()

    def _update_all(self) -> None:
        done = sum(self._costs[key] * share for key, share in self._shares.items() if key in self._costs)
        finished = sum(share == 1.0 for share in self._shares.values())
        self._bars.update(self._all, completed=done, note=f"{finished}/{len(self._costs)} tasks")

    def end(self) -> None:
        self._bars.stop()
