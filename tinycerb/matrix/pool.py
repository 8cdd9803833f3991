"""Computes cells on this machine: worker processes with one TensorFlow and one thread each."""

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, Any, cast

from tinycerb.atomic import describe_os_error, make_directory
from tinycerb.bench.cell import find_cell
from tinycerb.converters.child_process import die_with_parent
from tinycerb.errors import EnvironmentProblem, ExitCode, TinyCerbError, error_from_exit_code
from tinycerb.events import Progress
from tinycerb.matrix.cells import MatrixCell
from tinycerb.matrix.display import MatrixDisplay
from tinycerb.matrix.estimate import note_seconds
from tinycerb.processes.variables import child_variables
from tinycerb.run.directory import RunDirectory

# A cell whose worker is killed so often does not fit into the memory that there is.
_MOST_DEATHS = 3


@dataclass
class _Worker:
    """A process, and the cell that it computes."""

    number: int
    process: subprocess.Popen
    cell: MatrixCell | None = None


# A worker's number, and what it told, or None when it ended.
_Events = queue.SimpleQueue[tuple[int, dict[str, Any] | None]]


def compute_locally(
    root: RunDirectory, cells: Sequence[MatrixCell], jobs: int, display: MatrixDisplay
) -> list[TinyCerbError]:
    """Computes cells; each is written by its worker.

    A cell whose worker is killed is given to another one; a cell that fails does not keep the others.

    Args:
        root: the matrix's directory; logs go there.
        cells: those that are not done, in the order of their start.
        jobs: how many at a time.
        display: shows progress.

    Returns:
        One error per cell that failed.

    Raises:
        EnvironmentProblem: a cell found no disk space, damaged files and the like, which others would find, too.
    """
    return _Pool(root, cells, display).run(min(jobs, len(cells)))


class _Pool:
    def __init__(self, root: RunDirectory, cells: Sequence[MatrixCell], display: MatrixDisplay) -> None:
        self._root, self._display = root, display
        self._waiting = list(reversed(cells))
        self._events: _Events = queue.SimpleQueue()
        self._workers: dict[int, _Worker] = {}
        self._deaths: dict[str, int] = {}
        self._failures: list[TinyCerbError] = []
        self._started = 0

    def run(self, jobs: int) -> list[TinyCerbError]:
        try:
            while self._waiting or any(worker.cell for worker in self._workers.values()):
                while self._waiting and len(self._workers) < jobs:
                    self._start_worker()
                self._handle(*self._events.get())
        finally:
            for worker in self._workers.values():
                worker.process.kill()
                _wait(worker.process)
        return self._failures

    def _start_worker(self) -> None:
        number = self._started = self._started + 1
        log_path = self._root.log(f"cells-{number}")
        make_directory(log_path.parent)
        try:
            with log_path.open("ab") as log:
                process = subprocess.Popen(
                    die_with_parent([sys.executable, "-m", "tinycerb.matrix.worker", str(self._root.path)]),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    bufsize=1,
                    env=child_variables(),
                    # A Ctrl-C reaches the parent alone, which then stops its workers.
                    start_new_session=True,
                )
        except OSError as error:
            raise describe_os_error(log_path, error) from error
        self._workers[number] = _Worker(number, process)
        threading.Thread(target=_read_events, args=(number, process, self._events), daemon=True).start()
        self._give_cell(self._workers[number])

    def _give_cell(self, worker: _Worker) -> None:
        worker.cell = self._waiting.pop() if self._waiting else None
        if worker.cell is None:
            return
        order = {"run": str(worker.cell.run.path), "spec": asdict(worker.cell.spec)}
        try:
            cast(IO[str], worker.process.stdin).write(json.dumps(order) + "\n")
        except OSError:
            # It was killed between two cells; the event of its end follows.
            return

    def _handle(self, number: int, event: dict[str, Any] | None) -> None:
        worker = self._workers[number]
        cell = worker.cell
        if event is None:
            self._bury(self._workers.pop(number))
        elif cell is None:
            return
        elif "error" in event:
            message = f"{cell.key}: {event['error']} (log: {self._root.log(f'cells-{number}')})"
            if event["exit_code"] == ExitCode.ENVIRONMENT:
                raise EnvironmentProblem(f"{message}\nfinished work is kept, go on with --resume {self._root.path}")
            self._failures.append(error_from_exit_code(message, event["exit_code"]))
            self._display.say(f"failed: {message}")
            self._give_cell(worker)
        elif "finished" in event:
            content = find_cell(cell.run, cell.spec)
            if content is None:
                raise EnvironmentProblem(
                    f"{cell.key}: its worker says that it is finished, but {cell.run.cell(cell.digest)} is missing or "
                    f"damaged; finished work is kept, go on with --resume {self._root.path}"
                )
            note_seconds(cell, event["seconds"])
            self._display.finish(cell, content["result"], event["seconds"])
            self._give_cell(worker)
        else:
            self._display.advance(cell, Progress(**event))

    def _bury(self, worker: _Worker) -> None:
        """Gives the cell of a worker that ended to the next one."""
        code, cell = _wait(worker.process), worker.cell
        if cell is None:
            return
        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        deaths = self._deaths[cell.digest] = self._deaths.get(cell.digest, 0) + 1
        if deaths < _MOST_DEATHS:
            self._display.say(f"the worker of {cell.key} was killed ({cause}); the cell starts anew")
            self._waiting.append(cell)
            return
        message = (
            f"{cell.key}: its worker was killed {deaths} times ({cause}; SIGKILL often means that memory ran out; "
            f"log: {self._root.log(f'cells-{worker.number}')})"
        )
        self._failures.append(EnvironmentProblem(message))
        self._display.say(f"failed: {message}")


def _wait(process: subprocess.Popen) -> int:
    code = process.wait()
    # What it did not read any more cannot be delivered.
    with suppress(OSError):
        cast(IO[str], process.stdin).close()
    return code


def _read_events(number: int, process: subprocess.Popen, events: _Events) -> None:
    try:
        with cast(IO[str], process.stdout) as lines:
            for line in lines:
                events.put((number, json.loads(line)))
    finally:
        # Also after half a line from a worker that was killed: the parent must not wait for ever.
        events.put((number, None))
