"""Killed at any point, resumed, and the same in the end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import run_cli
from tinycerb.run.directory import RunDirectory

VICTIM = "victims/cerberos"


# A shell that runs the tests in the background makes its children deaf to Ctrl-C; a terminal does not.
LISTENING = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import tinycerb.cli as cli; cli.main()"
)


def start(path: Path, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", LISTENING, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.05)


def workers_of(path: Path, module: str = "tinycerb.jobs.worker") -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if module.encode() in words and str(path).encode() in words:
            found.append(int(entry.parent.name))
    return found


def rows(path: Path, victim: str = "cerberos") -> int:
    history = path / "victims" / victim / "history.csv"
    return len(history.read_text().splitlines()) - 1 if history.exists() else 0


@pytest.fixture(scope="module")
def killed_three_times(tmp_path_factory) -> Path:
    """The smoke run's training, killed hard in three stages, then finished."""
    path = tmp_path_factory.mktemp("killed") / "run"
    arguments: tuple[object, ...] = ("train", "smoke", "--out", path)
    for finished_epochs in (1, 2, 3):
        process = start(path, *arguments)
        wait_for(lambda wanted=finished_epochs: rows(path) >= wanted)
        process.kill()
        process.communicate()
        # The workers end by themselves when their parent is gone.
        wait_for(lambda: not workers_of(path), seconds=10)
        arguments = ("train", "--resume", path)
    finished = run_cli(*arguments)
    assert finished.returncode == 0, finished.stderr
    return path


def test_resumed_training_ends_with_the_same_files(smoke_run, killed_three_times) -> None:
    """Two runs from the same seed, one of them killed three times: byte-identical int8 files."""
    finished = run_cli("convert", killed_three_times)
    assert finished.returncode == 0, finished.stderr
    resumed = RunDirectory.open(killed_three_times)
    for victim in ("undefended", "cerberos"):
        assert resumed.model(victim).read_bytes() == smoke_run.model(victim).read_bytes(), victim


def test_resumed_history_has_every_epoch_once(smoke_run, killed_three_times) -> None:
    for victim in ("undefended", "cerberos"):
        history = (killed_three_times / "victims" / victim / "history.csv").read_text()
        assert history == (smoke_run.victim(victim) / "history.csv").read_text()


def test_a_finished_run_is_left_as_it_is(smoke_run) -> None:
    before = {path: path.stat().st_mtime_ns for path in smoke_run.path.rglob("cells/*")}
    finished = run_cli("run", "--resume", smoke_run.path, "--quiet")
    assert finished.returncode == 0, finished.stderr
    assert {path: path.stat().st_mtime_ns for path in smoke_run.path.rglob("cells/*")} == before


def test_a_worker_killed_while_converting_is_named_and_the_run_goes_on(smoke_run, tmp_path) -> None:
    path = Path(shutil.copytree(smoke_run.path, tmp_path / "run"))
    for name in ("model.tflite", "model.json", "measurements.json"):
        (path / "victims" / "cerberos" / name).unlink()
    process = start(path, "run", "--resume", path)
    wait_for(lambda: workers_of(path))
    os.kill(workers_of(path)[0], signal.SIGKILL)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "convert/cerberos was killed (SIGKILL" in stderr
    assert f"--resume {path}" in stderr
    assert not workers_of(path)
    finished = run_cli("run", "--resume", path, "--quiet")
    assert finished.returncode == 0, finished.stderr
    for name in ("cerberos", "undefended"):
        assert RunDirectory.open(path).model(name).read_bytes() == smoke_run.model(name).read_bytes()
    cells = {cell.name: cell.read_bytes() for cell in (path / "cells").iterdir()}
    assert cells == {cell.name: cell.read_bytes() for cell in (smoke_run.path / "cells").iterdir()}


def test_force_does_not_delete_a_run_that_is_worked_on(tmp_path) -> None:
    path = tmp_path / "run"
    process = start(path, "train", "smoke", "--out", path)
    try:
        wait_for(lambda: workers_of(path))
        second = run_cli("train", "smoke", "--out", path, "--force")
        assert second.returncode == 3
        assert "another tinycerb is working on" in second.stderr
        assert (path / "config.toml").exists()
    finally:
        assert_stops(process, path, signal.SIGTERM, 143)


def assert_stops(process: subprocess.Popen, path: Path, number: signal.Signals, code: int) -> None:
    """Workers are stopped, and the command says how to go on."""
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert "--resume" in stderr
    assert not workers_of(path)


def test_ctrl_c_stops_workers_and_says_how_to_go_on(tmp_path) -> None:
    path = tmp_path / "run"
    process = start(path, "train", "smoke", "--out", path)
    wait_for(lambda: workers_of(path))
    assert_stops(process, path, signal.SIGINT, 130)


def test_two_processes_do_not_work_on_one_run(tmp_path) -> None:
    path = tmp_path / "run"
    process = start(path, "train", "smoke", "--out", path)
    try:
        wait_for(lambda: workers_of(path))
        second = run_cli("train", "--resume", path)
        assert second.returncode == 3
        assert "another tinycerb is working on" in second.stderr
    finally:
        assert_stops(process, path, signal.SIGHUP, 129)
