"""What is made again costs what depends on it only if it came out otherwise."""

import subprocess
import threading
import time

import pytest

from tinycerb.errors import EnvironmentProblem
from tinycerb.jobs import scheduler
from tinycerb.jobs.task import Task
from tinycerb.progress import make_display

CHAIN = [
    Task("train/a", "train", ("a",), (), 1.0),
    Task("convert/a", "convert", ("a",), ("train/a",), 1.0),
    Task("measure/a", "measure", ("a",), ("convert/a",), 1.0),
]


@pytest.fixture
def ran(monkeypatch) -> list[str]:
    """The tasks that were started, whose workers end at once."""
    started: list[str] = []

    def start(run, task, events):
        process = subprocess.Popen(["true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(task.key)
        threading.Thread(target=scheduler._read_events, args=(task.key, process, events), daemon=True).start()
        return scheduler._Worker(task, process, time.monotonic())

    monkeypatch.setattr(scheduler, "_start", start)
    return started


@pytest.mark.parametrize(
    ("as_before", "expected"),
    [(True, ["train/a"]), (False, ["train/a", "convert/a", "measure/a"])],
)
def test_what_follows_from_a_task_is_judged_when_its_turn_comes(monkeypatch, ran, as_before, expected) -> None:
    def is_done(run, task: Task) -> bool:
        if task.key == "train/a":
            return False
        # As long as the network is missing, nothing follows from it.
        return as_before and "train/a" in ran if task.key == "convert/a" else "convert/a" not in ran

    monkeypatch.setattr(scheduler, "is_done", is_done)
    scheduler.run_tasks(None, CHAIN, 1, make_display(quiet=True))  # type: ignore[arg-type]
    assert ran == expected


@pytest.mark.parametrize(("code", "cause"), [("kill -9 $$", "SIGKILL"), ("exit 137", "exit code 137")])
def test_a_worker_that_the_system_ends_is_the_machines_fault(monkeypatch, smoke_run, code: str, cause: str) -> None:
    def start(run, task, events):
        process = subprocess.Popen(["sh", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=scheduler._read_events, args=(task.key, process, events), daemon=True).start()
        return scheduler._Worker(task, process, time.monotonic())

    monkeypatch.setattr(scheduler, "_start", start)
    monkeypatch.setattr(scheduler, "is_done", lambda run, task: False)
    with pytest.raises(EnvironmentProblem, match=rf"the worker of train/a was killed \({cause}.*--resume"):
        scheduler.run_tasks(smoke_run, CHAIN[:1], 1, make_display(quiet=True))
