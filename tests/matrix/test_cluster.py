"""Cells on a Dask cluster whose workers share nothing with us but a connection to the scheduler."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import run_cli
from tests.matrix.conftest import CELLS
from tests.test_resume import start, wait_for
from tinycerb.atomic import read_json
from tinycerb.errors import EnvironmentProblem
from tinycerb.matrix.cluster import tell_without_workers
from tinycerb.matrix.colleagues import Colleagues

DASK = [sys.executable, "-m", "dask"]


def as_root(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))}: {done.stderr.strip()}; this test makes network namespaces, which needs root "
        "(or CAP_NET_ADMIN and CAP_SYS_ADMIN) and iproute2: sudo apt-get install -y iproute2; in a container: "
        "docker run --cap-add NET_ADMIN --cap-add SYS_ADMIN"
    )


@pytest.fixture
def namespaces() -> Iterator[list[tuple[str, str]]]:
    """Two network namespaces, each with a line to us and none to the other: (name, our address there)."""
    made = []
    try:
        for index in (0, 1):
            name, net = f"tc{os.getpid()}n{index}", f"10.231.{(2 * os.getpid() + index) % 250}"
            as_root("ip", "netns", "add", name)
            made.append((name, f"{net}.1"))
            as_root("ip", "link", "add", f"v{name}", "type", "veth", "peer", "name", "inside", "netns", name)
            as_root("ip", "addr", "add", f"{net}.1/24", "dev", f"v{name}")
            as_root("ip", "link", "set", f"v{name}", "up")
            for words in (
                ("addr", "add", f"{net}.2/24", "dev", "inside"),
                ("link", "set", "inside", "up"),
                ("link", "set", "lo", "up"),
            ):
                as_root("ip", "-n", name, *words)
        yield made
    finally:
        for name, _ in made:
            subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts a process whose output goes to a file; ends it at last."""
    running: list[subprocess.Popen] = []

    def begin(*command: object) -> subprocess.Popen:
        with (tmp_path / f"process-{len(running)}.txt").open("wb") as log:
            process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, start_new_session=True)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


def free_port() -> int:
    import socket

    with socket.socket() as listening:
        listening.bind(("", 0))
        return listening.getsockname()[1]


def test_two_machines_one_of_which_dies(matrix, undisturbed, cells_of, namespaces, launch, tmp_path) -> None:
    port = free_port()
    launch(*DASK, "scheduler", "--port", port, "--no-dashboard")
    workers = []
    for name, ours in namespaces:
        # The run directory is not there for them: an empty file system lies over it.
        inside = (
            f"mount -t tmpfs none {matrix.path} && exec {' '.join(DASK)} worker tcp://{ours}:{port} --nthreads 1 "
            f"--no-nanny --no-dashboard --name {name} --local-directory {tmp_path / name}"
        )
        workers.append(launch("ip", "netns", "exec", name, "sh", "-c", inside))
    process = start(matrix.path, "bench", "matrix", "--resume", matrix.path, "--scheduler", f"tcp://127.0.0.1:{port}")
    try:
        wait_for(lambda: len(cells_of(matrix)) >= 4 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        os.kill(workers[0].pid, signal.SIGKILL)
        _, stderr = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 0, stderr
    assert workers[0].wait(5) == -signal.SIGKILL
    assert cells_of(matrix) == cells_of(undisturbed)
    results = read_json(matrix.path / "results.json")
    assert results["cells_done"] == CELLS
    noted = [line.split(",")[0] for line in (matrix.path / "cell_seconds.csv").read_text().splitlines()]
    assert len(noted) == len(set(noted)) == CELLS


def test_a_scheduler_that_does_not_answer(fresh) -> None:
    started = time.monotonic()
    finished = run_cli("bench", "matrix", "ci", "--out", fresh, "--scheduler", f"tcp://127.0.0.1:{free_port()}")
    assert finished.returncode == 3
    assert "does not answer" in finished.stderr
    assert "dask scheduler" in finished.stderr
    assert not fresh.exists()
    assert time.monotonic() - started < 40


def test_an_address_that_is_none(fresh) -> None:
    finished = run_cli("bench", "matrix", "ci", "--out", fresh, "--scheduler", "localhost")
    assert finished.returncode == 2
    assert "expected tcp://host:port" in finished.stderr
    assert not fresh.exists()


def test_who_watches_hears_that_the_last_worker_is_gone() -> None:
    counts = iter([2, 0, 0, 0, 1, 1])
    looked, said = threading.Event(), []

    def count() -> int:
        found = next(counts, None)
        if found is None:
            looked.set()
            raise OSError("the scheduler is gone")
        return found

    with tell_without_workers(count, "tcp://there:8786", said.append, every=0.01):
        assert looked.wait(10)
    assert len(said) == 2
    assert "no workers any more" in said[0]
    assert "dask worker tcp://there:8786" in said[0]
    assert said[1] == "workers are there again"


def test_a_scheduler_that_hangs_holds_nobody_up() -> None:
    asked, answered, said = threading.Event(), threading.Event(), []

    def count() -> int:
        asked.set()
        answered.wait(30)
        return 0

    started = time.monotonic()
    with tell_without_workers(count, "tcp://there:8786", said.append, every=0.01):
        assert asked.wait(10)
    assert time.monotonic() - started < 10
    answered.set()
    time.sleep(0.1)
    assert said == []


def test_a_worker_with_other_versions_is_left_out_once_and_its_cells_go_elsewhere(
    matrix, undisturbed, cells_of, launch, tmp_path
) -> None:
    """One has another TensorFlow from the start, one another TinyCerb and comes in the middle."""
    port = free_port()
    launch(*DASK, "scheduler", "--port", port, "--no-dashboard")
    worker = (*DASK, "worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-nanny", "--no-dashboard")
    other = tmp_path / "other" / "tensorflow-9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: tensorflow\nVersion: 9.9\n")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "sitecustomize.py").write_text("import sys; sys.modules['tinycerb'] = None\n")
    ours = os.environ.get("PYTHONPATH", "")

    def begin_with(folder: str) -> None:
        launch("env", f"PYTHONPATH={tmp_path / folder}{os.pathsep}{ours}", *worker)

    begin_with("other")
    launch(*worker)
    process = start(
        matrix.path, "bench", "matrix", "--resume", matrix.path, "--only", "attack=own-kind", "--scheduler",
        f"tcp://127.0.0.1:{port}",
    )  # fmt: skip
    try:
        wait_for(lambda: len(cells_of(matrix)) >= 1 or process.poll() is not None)
        begin_with("none")
        _, stderr = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 0, stderr
    assert stderr.count("has tensorflow 9.9, not 2.") == 1
    assert stderr.count("left out") == stderr.count("install the same there") <= 2
    assert "failed" not in stderr
    cells = cells_of(matrix)
    assert len(cells) == 3
    assert cells.items() <= cells_of(undisturbed).items()


class StandIn:
    """A Dask client whose workers answer what they are told to."""

    def __init__(self, **workers: object) -> None:
        self.workers = workers
        self.asked: list[str] = []

    def scheduler_info(self, n_workers: int) -> dict:
        return {"workers": {address: {"nthreads": 2} for address in self.workers}}

    def run(self, function: object, workers: list[str], on_error: str) -> dict:
        self.asked += workers
        return {address: self.workers[address] for address in workers}


def test_colleagues_are_asked_once_and_sorted() -> None:
    wanted = {"numpy": "1.26.4"}
    fit, other = ({"host": "there", "versions": {"numpy": version}} for version in ("1.26.4", "2.0.0"))
    client, said = StandIn(a=fit, b=other, c=ModuleNotFoundError("No module named 'tinycerb'"), d=OSError("closed")), []
    colleagues = Colleagues(client, wanted, said.append)
    for _ in range(3):
        colleagues.look()
    assert (colleagues.fit, colleagues.refused) == ({"a": 2}, {"b", "c"})
    assert sorted(client.asked) == ["a", "b", "c", "d", "d", "d"]
    assert len(said) == 2
    assert "the worker on there (b) has numpy 2.0.0, not 1.26.4: it is left out" in said[0]
    assert "cannot run TinyCerb" in said[1]
    del client.workers["a"], client.workers["b"]
    client.workers["d"] = fit
    colleagues.look()
    assert (colleagues.fit, colleagues.refused) == ({"d": 2}, {"c"})
    with pytest.raises(EnvironmentProblem, match=r"no worker fits: .*numpy 2\.0\.0, not 1\.26\.4"):
        Colleagues(StandIn(b=other), wanted, said.append).look()


def test_a_cluster_that_loses_its_only_worker_goes_on_with_another(matrix, undisturbed, cells_of, launch) -> None:
    port = free_port()
    launch(*DASK, "scheduler", "--port", port, "--no-dashboard")
    worker = (*DASK, "worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-nanny", "--no-dashboard")
    first = launch(*worker)
    process = start(matrix.path, "bench", "matrix", "--resume", matrix.path, "--scheduler", f"tcp://127.0.0.1:{port}")
    try:
        wait_for(lambda: len(cells_of(matrix)) >= 2 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        first.kill()
        first.wait()
        time.sleep(8)
        launch(*worker)
        _, stderr = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 0, stderr
    assert "no workers any more" in stderr
    assert "workers are there again" in stderr
    assert cells_of(matrix) == cells_of(undisturbed)
