"""A sample of what `make fault-injection` tries at fifty points of whole runs: ten, each in one task."""

import random
import subprocess
import sys

import pytest

from tests.fault_injection.faults import FAULTS
from tests.fault_injection.points import await_silence, judge
from tests.fault_injection.states import cut_back, differences, lines_of
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import STEPS
from tinycerb.run.directory import RunDirectory

MEASURE, TRAIN, STEAL = "measure/undefended", "train/undefended", "steal/undefended/knockoff/fixed"


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        ("kill -9 the command, before a file's name", MEASURE),
        ("kill -9 the command, after a file's name", "measure/cerberos"),
        ("kill -9 the command, at any moment", MEASURE),
        ("kill -9 who writes, before a file's name", "measure/cerberos"),
        ("kill -9 who writes, after a file's name", STEAL),
        ("no memory", MEASURE),
        ("a full disk", "measure/cerberos"),
        ("a read-only folder", MEASURE),
        ("a damaged artefact", MEASURE),
        ("a damaged checkpoint", TRAIN),
    ],
)
def test_a_task_that_met_a_fault_comes_to_the_same_bytes(smoke_run, tmp_path, fault: str, key: str) -> None:
    run = RunDirectory.open(cut_back(smoke_run.path, tmp_path / "run", len(lines_of(smoke_run.path))))
    (tmp_path / "notes").mkdir()
    task = next(task for task in plan(run.config) if task.key == key)
    made = STEPS[task.kind].makes(run, task.arguments)
    for path in made:
        path.unlink()
    command = [sys.executable, "-m", "tests.fault_injection.one_task", str(run.path), key]
    struck = FAULTS[fault](command, run.path, tmp_path / "notes", random.Random(3), len(made))
    assert "not struck" not in struck.where
    assert judge(struck) == []
    await_silence(run.path)
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    touched = {str(path.relative_to(run.path)) for path in made}
    assert not [fault for fault in differences(run.path, smoke_run.path) if fault.split()[0] in touched]


def test_every_fault_is_among_them() -> None:
    (mark,) = test_a_task_that_met_a_fault_comes_to_the_same_bytes.pytestmark
    assert [fault for fault, _ in mark.args[1]] == list(FAULTS)


def test_only_a_finished_training_may_leave_its_damaged_checkpoint_aside(tmp_path) -> None:
    reference, found = (tmp_path / name / "victims" / "plain" for name in ("reference", "found"))
    for folder in (reference, found):
        folder.mkdir(parents=True)
        (folder / "training.json").touch()
    (reference / "checkpoint.npz").touch()

    def said() -> list[str]:
        return list(differences(tmp_path / "found", tmp_path / "reference"))

    assert said() == ["victims/plain/checkpoint.npz is missing"]
    (found / "checkpoint.npz.damaged").touch()
    assert said() == []
    (found / "training.json").unlink()
    assert said() == ["victims/plain/checkpoint.npz is missing", "victims/plain/training.json is missing"]


def test_remembered_answers_alone_may_stay_aside(tmp_path) -> None:
    reference, found = tmp_path / "reference", tmp_path / "found"
    for folder in (reference / "answers", reference / "cells", found / "answers", found / "cells"):
        folder.mkdir(parents=True)
    (reference / "answers" / "a.npz").touch()
    (reference / "cells" / "c.json").touch()
    assert sorted(differences(found, reference)) == ["answers/a.npz is missing", "cells/c.json is missing"]
    for path in (found / "answers" / "a.npz.damaged", found / "cells" / "c.json.damaged"):
        path.touch()
    assert list(differences(found, reference)) == ["cells/c.json is missing"]
