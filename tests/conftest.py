"""Fixtures: the command line as users call it, and one finished smoke run that many tests read."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tinycerb.processes.variables import own_process
from tinycerb.run.directory import RunDirectory

own_process()

Cli = Callable[..., subprocess.CompletedProcess[str]]


def run_cli(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    """Calls `tinycerb` in a process of its own and returns what came out."""
    command = [sys.executable, "-m", "tinycerb", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="session")
def cli() -> Cli:
    return run_cli


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory, worker_id: str) -> RunDirectory:
    """A finished run of the smoke preset, one for all test processes; read it, do not change it."""
    base = tmp_path_factory.getbasetemp()
    folder = base if worker_id == "master" else base.parent
    path, output = folder / "smoke-run", folder / "smoke-run" / "stdout.txt"
    with (folder / "smoke-run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not output.exists():
            finished = run_cli("run", "smoke", "--out", path)
            assert finished.returncode == 0, finished.stderr
            output.write_text(finished.stdout)
    return RunDirectory.open(path)


@pytest.fixture(scope="session")
def run_child() -> Callable[..., str]:
    """Runs Python code in a process of its own, where tflite-runtime may be loaded; returns its output.

    The test process holds TensorFlow, beside which tflite-runtime cannot build an interpreter.
    """

    def run(code: str, *arguments: object) -> str:
        command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A path that does not exist yet."""
    return tmp_path / "fresh"
