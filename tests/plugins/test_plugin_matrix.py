"""Parts of a plugin alone in a matrix: here, and on two Dask workers that have never seen the plugin's file."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import run_cli
from tests.matrix.test_cluster import DASK, free_port, launch  # noqa: F401  (a fixture)
from tests.plugins.conftest import copy_example
from tests.test_layout import ROOT
from tests.test_resume import wait_for
from tinycerb.atomic import read_json


@pytest.fixture(scope="module")
def user(tmp_path_factory) -> Path:
    """A user's folder, with the plugin and a run of its matrix that this machine has computed."""
    folder = tmp_path_factory.mktemp("user")
    copy_example(folder)
    finished = run_here(folder, "bench", "matrix", "matrix.toml", "--out", "run", "--jobs", 2, "--quiet")
    assert finished.returncode == 0, finished.stderr
    return folder


def run_here(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Calls the command in a folder, with the state of the user whose plugin it is."""
    (folder.parent / "state").mkdir(exist_ok=True)
    state = {"XDG_STATE_HOME": str(folder.parent / "state"), "PYTHONPATH": str(ROOT)}
    return run_cli(*arguments, cwd=folder, env={**os.environ, **state})


@pytest.fixture
def elsewhere(tmp_path: Path, user: Path) -> Iterator[Path]:
    """Another folder of the same user, where no module of the plugin's name is."""
    folder = user.parent / "elsewhere"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_all_parts_of_a_matrix_may_be_a_plugins(user: Path) -> None:
    results = read_json(user / "run" / "results.json")
    assert (results["cells_done"], results["cells_in_all"], results["failures"]) == (2, 2, [])
    assert {(row["victim"], row["attack"], row["student"]) for row in results["cells"]} == {
        ("mine", "first", "one_layer")
    }
    assert results["victims"]["mine"]["response"] == "halves,label=180"
    for path in (user / "run" / "cells").glob("*.json"):
        spec, result = read_json(path)["spec"], read_json(path)["result"]
        assert (spec["defense"], spec["attack"]["attack"], spec["attack"]["query_pool"]) == (
            "entropy", "first_asked", "noise",
        )  # fmt: skip
        # One file registers all parts.
        assert len(set(spec["code"].values())) == 1
        assert result["queries_charged"] == spec["attack"]["budget"]
    (kept,) = (user / "run" / "plugins").iterdir()
    assert (kept / "my_parts.py").read_bytes() == (user / "my_parts.py").read_bytes()


def test_on_two_workers_that_have_no_such_module(user: Path, elsewhere: Path, launch: Callable, tmp_path: Path) -> None:  # noqa: F811
    run = tmp_path / "run"
    shutil.copytree(user / "run", run)
    here = {path.name: path.read_bytes() for path in (run / "cells").iterdir()}
    for path in [*(run / "cells").iterdir(), *(run / "answers").iterdir()]:
        path.unlink()
    port = free_port()
    scheduler = f"tcp://127.0.0.1:{port}"
    launch(*DASK, "scheduler", "--port", port, "--no-dashboard")
    environment = ["env", "-C", elsewhere, f"PYTHONPATH={ROOT}"]
    workers = [
        launch(
            *environment, *DASK, "worker", scheduler, "--nthreads", 1, "--no-nanny", "--no-dashboard", "--name", name,
            "--local-directory", tmp_path / name,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    finished = run_here(elsewhere, "bench", "matrix", "--resume", run, "--scheduler", scheduler, "--quiet")
    assert finished.returncode == 0, finished.stderr
    assert {path.name: path.read_bytes() for path in (run / "cells").iterdir()} == here
    assert all(worker.poll() is None for worker in workers)
    wait_for(lambda: all(folder.is_dir() for folder in (tmp_path / "one", tmp_path / "two")))
    assert not list(elsewhere.iterdir())


def test_a_plugin_that_came_otherwise_is_not_run(user: Path, tmp_path: Path) -> None:
    from tinycerb.errors import EnvironmentProblem
    from tinycerb.matrix.parcels import Packer, PluginParcel, unpack_plugin
    from tinycerb.plugins import find_plugin, loaded_plugins

    plugin, packer = find_plugin(str(user / "my_parts.py")), Packer()
    (parcel,) = packer.pack_plugins([plugin])
    (tmp_path / parcel.parcel).write_bytes(packer.contents[parcel.parcel])
    assert unpack_plugin(tmp_path, parcel).files == plugin.files
    with pytest.raises(EnvironmentProblem, match=r"the SHA-256 .*, expected 000000000000\.\.\.: it is not run"):
        unpack_plugin(tmp_path, PluginParcel(parcel.name, parcel.parcel, "0" * 64))
    assert loaded_plugins() == ()


def test_what_a_response_leaves_is_sent_with_its_victim(tmp_path: Path) -> None:
    from tinycerb.bench.cell_inputs import CellInputs
    from tinycerb.datasets.images import LabelledImages
    from tinycerb.matrix import parcels

    for name in ("model.tflite", "model.json", "of_a_plugin.tflite", "of_nobody.tflite"):
        (tmp_path / name).write_text(name)
    images, labels = np.zeros((2, 4, 4, 1), np.uint8), np.zeros(2, np.int64)
    inputs = CellInputs(
        tmp_path / "model.tflite", "none", 2, images, images, LabelledImages(images, labels), labels, None,
        labels.astype(np.uint64), side_files=("of_a_plugin.tflite",),
    )  # fmt: skip
    for name, content in (
        ("victim", parcels._pack_victim(inputs)), ("test", parcels._pack_test(inputs)),
        ("questions", parcels._as_bytes({"pool": images, "in_distribution": images})),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
    home = parcels.unpack(tmp_path, ("victim", "test", "questions")).model.parent
    assert sorted(path.name for path in home.iterdir()) == ["model.json", "model.tflite", "of_a_plugin.tflite"]


def test_other_commands_and_the_device_know_the_plugin(user: Path, elsewhere: Path) -> None:
    """Its C part answers on an emulated Cortex-M4 as its Python part does, which `bench --board` compares."""
    run = user / "run"
    measured = run_here(elsewhere, "bench", run / "victims" / "mine", "--board", "qemu-m4")
    assert measured.returncode == 0, measured.stderr
    assert "instructions are counted" in measured.stdout
    stranger = run_cli("check", run, cwd=elsewhere, env={**os.environ, "XDG_STATE_HOME": str(elsewhere / "none")})
    assert stranger.returncode == 2
    assert "It is code that runs on this machine as you, and you have not agreed to it yet" in stranger.stderr
    listed = run_here(user, "attacks", "show", "first_asked", "--plugin", "my_parts")
    assert "Asks about random images and distils the answers" in listed.stdout
    missed = run_here(elsewhere, "attacks", "show", "first_asked", "--plugin", "my_parts")
    assert (missed.returncode, missed.stdout) == (2, "")
    assert "there is no plugin 'my_parts'" in missed.stderr


def test_every_process_that_looks_parts_up_loads_the_plugins() -> None:
    """Modules that are started by `python -m`: all but those that know no parts."""
    without = {
        "__main__.py", "boards/unicorn_machine.py", "datasets/fetch.py", "datasets/call_loader.py",
        "doctor/make_tiny_model.py", "runtimes/child.py",
    }  # fmt: skip
    started = {
        path.relative_to(ROOT / "tinycerb").as_posix(): path.read_text()
        for path in (ROOT / "tinycerb").rglob("*.py")
        if '__name__ == "__main__"' in path.read_text()
    }
    loading = {name for name, text in started.items() if "load_handed_over()" in text or "answer(" in text}
    assert {*started} - loading <= without
    assert len(loading) >= 5
    assert "load_handed_over()" in (ROOT / "tinycerb" / "subprocess_call.py").read_text()
