"""Killed at any moment, a matrix goes on and ends with the cells of one that was left alone."""

import os
import signal

from tests.conftest import run_cli
from tests.matrix.conftest import CELLS
from tests.test_resume import start, wait_for, workers_of
from tinycerb.atomic import read_json

WORKER = "tinycerb.matrix.worker"


def test_a_killed_worker_a_killed_parent_and_a_damaged_cell_change_nothing(matrix, undisturbed, cells_of) -> None:
    process = start(matrix.path, "bench", "matrix", "--resume", matrix.path, "--jobs", 2)
    wait_for(lambda: len(cells_of(matrix)) >= 1)
    os.kill(workers_of(matrix.path, WORKER)[0], signal.SIGKILL)
    wait_for(lambda: len(cells_of(matrix)) >= 4)
    process.kill()
    _, stderr = process.communicate()
    assert "was killed (SIGKILL); the cell starts anew" in stderr
    # The workers end by themselves when their parent is gone.
    wait_for(lambda: not workers_of(matrix.path, WORKER), seconds=10)
    kept = cells_of(matrix)
    assert 4 <= len(kept) < CELLS
    names = sorted(kept)
    cut, altered = (matrix.path / "cells" / name for name in names[:2])
    cut.write_bytes(kept[cut.name][:-100])
    altered.write_bytes(kept[altered.name].replace(b'"clone_accuracy": 0.', b'"clone_accuracy": 0.9', 1))
    times = {name: (matrix.path / "cells" / name).stat().st_mtime_ns for name in names[2:]}
    finished = run_cli("bench", "matrix", "--resume", matrix.path, "--jobs", 2)
    assert finished.returncode == 0, finished.stderr
    for damaged in (cut, altered):
        assert f"{damaged} is damaged: SHA-256" in finished.stderr
        assert damaged.with_name(f"{damaged.name}.damaged").exists()
    assert {name: (matrix.path / "cells" / name).stat().st_mtime_ns for name in times} == times
    assert cells_of(matrix) == cells_of(undisturbed)
    results, expected = (read_json(run.path / "results.json") for run in (matrix, undisturbed))
    assert results == expected


def test_the_undisturbed_matrix_is_whole(undisturbed, cells_of) -> None:
    results = read_json(undisturbed.path / "results.json")
    assert (results["cells_done"], results["cells_in_all"]) == (CELLS, CELLS)
    assert len(cells_of(undisturbed)) == CELLS
    assert len({row["digest"] for row in results["cells"]}) == CELLS
    # One set of answers for each model, selection and question, however many asked.
    assert len(list((undisturbed.path / "answers").glob("*.npz"))) == CELLS


def test_a_finished_matrix_is_left_as_it_is(undisturbed) -> None:
    before = {path: path.stat().st_mtime_ns for path in (undisturbed.path / "cells").iterdir()}
    finished = run_cli("bench", "matrix", "--resume", undisturbed.path, "--json")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == (undisturbed.path / "results.json").read_text()
    assert {path: path.stat().st_mtime_ns for path in (undisturbed.path / "cells").iterdir()} == before
