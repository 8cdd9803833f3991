"""Runs tasks side by side, each in a process of its own, in an order that keeps the longest chain moving."""

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import IO, Any, cast

from tinycerb.atomic import describe_os_error, make_directory
from tinycerb.converters.child_process import die_with_parent
from tinycerb.errors import EnvironmentProblem, TinyCerbError, error_from_exit_code
from tinycerb.events import Progress
from tinycerb.jobs.steps import is_done
from tinycerb.jobs.task import Task
from tinycerb.processes.stopping import deferred
from tinycerb.processes.variables import child_variables
from tinycerb.progress import Display
from tinycerb.run.directory import RunDirectory

# What a worker told, or (its key, None) when it ended, or (_INTERRUPT, None).
_Events = queue.SimpleQueue[tuple[str, dict[str, Any] | None]]
_INTERRUPT = "interrupt"


@dataclass
class _Worker:
    """A running task."""

    task: Task
    process: subprocess.Popen
    started: float
    failure: TinyCerbError | None = None


def run_tasks(run: RunDirectory, tasks: Sequence[Task], jobs: int, display: Display) -> None:
    """Runs what is not done yet.

    Args:
        run: the run.
        tasks: what to do; prerequisites outside of it must be done already.
        jobs: how many at a time.
        display: shows progress.

    Raises:
        TinyCerbError: a task failed, with its own message; the other running ones are stopped.
        KeyboardInterrupt: passed on, after the workers are stopped.
    """
    wanted = {task.key: task for task in tasks}
    finished = {key for key, task in wanted.items() if is_done(run, task)}
    urgency = _urgency(tasks)
    display.begin({key: task.cost for key, task in wanted.items()}, finished)
    graph = TopologicalSorter({key: [a for a in task.after if a in wanted] for key, task in wanted.items()})
    graph.prepare()
    ready: list[str] = []
    running: dict[str, _Worker] = {}
    ran: set[str] = set()
    events: _Events = queue.SimpleQueue()
    # One that struck while a worker starts would leave that worker unknown and running.
    with deferred(lambda: events.put((_INTERRUPT, None))), _stopped_at_the_end(running, display):
        while graph.is_active():
            for key in graph.get_ready():
                task = wanted[key]
                # What was made again came out as it was before, or did not.
                done = is_done(run, task) if ran.intersection(task.after) else key in finished
                if not done:
                    ready.append(key)
                    continue
                if key not in finished:
                    display.start(key)
                    display.finish(key, 0.0)
                graph.done(key)
            # What must run alone waits until nothing else is ready or running.
            ready.sort(key=lambda key: (wanted[key].alone, -urgency[key]))
            while ready and len(running) < jobs and not _must_wait(wanted[ready[0]], running):
                key = ready.pop(0)
                ran.add(key)
                running[key] = _start(run, wanted[key], events)
                display.start(key)
            if running:
                _handle_one_event(run, running, events, display, graph)


@contextmanager
def _stopped_at_the_end(running: dict[str, _Worker], display: Display) -> Iterator[None]:
    try:
        yield
    finally:
        for worker in running.values():
            worker.process.kill()
            _wait(worker.process)
        display.end()


def _must_wait(task: Task, running: dict[str, _Worker]) -> bool:
    return bool(running) and (task.alone or any(worker.task.alone for worker in running.values()))


def _urgency(tasks: Sequence[Task]) -> dict[str, float]:
    """Cost of the most expensive chain that starts with each task."""
    chains: dict[str, float] = {task.key: task.cost for task in tasks}
    for task in reversed(tasks):
        followers = [chains[other.key] for other in tasks if task.key in other.after]
        chains[task.key] = task.cost + max(followers, default=0.0)
    return chains


def _start(run: RunDirectory, task: Task, events: _Events) -> _Worker:
    log_path = run.log(task.key)
    make_directory(log_path.parent)
    try:
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                die_with_parent([sys.executable, "-m", "tinycerb.jobs.worker", str(run.path), task.key]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=child_variables(),
                # A Ctrl-C reaches the parent alone, which then stops its workers.
                start_new_session=True,
            )
    except OSError as error:
        raise describe_os_error(log_path, error) from error
    threading.Thread(target=_read_events, args=(task.key, process, events), daemon=True).start()
    return _Worker(task, process, time.monotonic())


def _read_events(key: str, process: subprocess.Popen, events: _Events) -> None:
    try:
        with cast(IO[str], process.stdout) as lines:
            for line in lines:
                events.put((key, json.loads(line)))
    finally:
        # Also after half a line from a worker that was killed: the parent must not wait for ever.
        events.put((key, None))


def _handle_one_event(
    run: RunDirectory,
    running: dict[str, _Worker],
    events: _Events,
    display: Display,
    graph: TopologicalSorter,
) -> None:
    key, event = events.get()
    if key == _INTERRUPT:
        raise KeyboardInterrupt
    worker = running[key]
    if event is None:
        code = _wait(worker.process)
        if code != 0:
            raise worker.failure or _killed(run, worker.task, code)
        running.pop(key)
        display.finish(key, time.monotonic() - worker.started)
        graph.done(key)
    elif "error" in event:
        message = (
            f"{key}: {event['error']}\nfinished work is kept, go on with --resume {run.path}\n(log: {run.log(key)})"
        )
        worker.failure = error_from_exit_code(message, event["exit_code"])
    else:
        display.advance(key, Progress(**event))


def _wait(process: subprocess.Popen) -> int:
    code = process.wait()
    # Nothing was ever sent; its end is what tells a worker that we are gone.
    cast(IO[str], process.stdin).close()
    return code


def _killed(run: RunDirectory, task: Task, code: int) -> TinyCerbError:
    cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return EnvironmentProblem(
        f"the worker of {task.key} was killed ({cause}; SIGKILL often means that memory ran out); "
        f"finished work is kept, go on with --resume {run.path}\n(log: {run.log(task.key)})"
    )
