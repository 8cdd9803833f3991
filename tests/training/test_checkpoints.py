"""A run whose checkpoint is gone: trained anew to the same bytes, or told which one is missing and what to do."""

import shutil
from pathlib import Path

import pytest

from tinycerb.config.loading import load_config
from tinycerb.datasets import load_dataset
from tinycerb.errors import EnvironmentProblem
from tinycerb.events import OnProgress, Progress, ignore
from tinycerb.file_names import CHECKPOINT, DENSE, FLOAT_MODEL, HISTORY
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import is_done
from tinycerb.jobs.task import Task
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import write_json
from tinycerb.training.victim import train_dense, train_victim


def test_a_checkpoint_that_is_gone_is_named(smoke_run, tmp_path) -> None:
    run = RunDirectory.open(Path(shutil.copytree(smoke_run.path, tmp_path / "run")))
    folder, dense = run.victim("undefended"), run.dense("undefended")
    made_after = dense / DENSE
    gone = made_after.with_name(CHECKPOINT)
    gone.unlink()
    (folder / FLOAT_MODEL).unlink()
    with pytest.raises(EnvironmentProblem) as caught:
        train_victim(run.config, run.victims["undefended"], load_dataset(run.config.data), dense, folder, ignore)
    assert f"the checkpoint {gone} is missing" in str(caught.value)
    assert f"delete {made_after} to train it anew" in str(caught.value)


class _Stopped(Exception):
    pass


def _stop_after(epoch: str) -> OnProgress:
    def stop(progress: Progress) -> None:
        if progress.note.startswith(f"{epoch}, validation"):
            raise _Stopped

    return stop


def test_a_dense_training_anew_is_not_done_before_its_last_epoch(tmp_path) -> None:
    """Its checkpoint was damaged and put away when it was finished; that of the first epoch is not the same."""
    run = RunDirectory.create(load_config("smoke", ["training.dense_epochs=2"]), tmp_path / "run", force=False)
    folder, task = run.dense("undefended"), Task("pretrain/undefended", "pretrain", ("undefended",), (), 1.0)
    write_json(folder / DENSE, {"parameters": 1})
    victim, dataset = run.victims["undefended"], load_dataset(run.config.data)
    with pytest.raises(_Stopped):
        train_dense(run.config, victim, dataset, folder, _stop_after("dense epoch 1/2"))
    assert (folder / CHECKPOINT).exists()
    assert not is_done(run, task)


def test_a_training_anew_that_is_stopped_too_misses_no_epoch(smoke_run, tmp_path) -> None:
    """The float model of the first time still lies there, and the new checkpoint is from before it."""
    run = RunDirectory.open(Path(shutil.copytree(smoke_run.path, tmp_path / "run")))
    folder = run.victim("undefended")
    finished = _epochs(folder / HISTORY)
    (folder / CHECKPOINT).unlink()
    dataset, dense = load_dataset(run.config.data), run.dense("undefended")
    with pytest.raises(_Stopped):
        train_victim(run.config, run.victims["undefended"], dataset, dense, folder, _stop_after("prune epoch 1/1"))
    assert not is_done(run, next(task for task in plan(run.config) if task.key == "train/undefended"))
    train_victim(run.config, run.victims["undefended"], dataset, dense, folder, ignore)
    # Bytes are compared by whole runs (`make fault-injection`): each of their trainings has a process of its own.
    assert _epochs(folder / HISTORY) == finished
    assert "recover" in {stage for stage, _ in finished}


def _epochs(history: Path) -> list[tuple[str, ...]]:
    """Stage and epoch of every row."""
    return [tuple(row.split(",")[:2]) for row in history.read_text().splitlines()[1:]]
