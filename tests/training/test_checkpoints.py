"""A run whose checkpoint is gone: trained anew to the same bytes, or told which one is missing and what to do."""

import shutil
from pathlib import Path

import pytest

from tinycerb.datasets import load_dataset
from tinycerb.errors import EnvironmentProblem
from tinycerb.events import Progress, ignore
from tinycerb.file_names import CHECKPOINT, DENSE, FLOAT_MODEL
from tinycerb.run.directory import RunDirectory
from tinycerb.training.artefacts import HISTORY
from tinycerb.training.victim import train_victim


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


def test_a_training_anew_that_is_stopped_too_misses_no_epoch(smoke_run, tmp_path) -> None:
    """The float model of the first time still lies there, and the new checkpoint is from before it."""
    run = RunDirectory.open(Path(shutil.copytree(smoke_run.path, tmp_path / "run")))
    folder = run.victim("undefended")
    finished = {name: (folder / name).read_bytes() for name in (CHECKPOINT, HISTORY)}
    (folder / CHECKPOINT).unlink()

    def stop(progress: Progress) -> None:
        if progress.note.startswith("prune epoch 1/1, validation"):
            raise _Stopped

    dataset, dense = load_dataset(run.config.data), run.dense("undefended")
    with pytest.raises(_Stopped):
        train_victim(run.config, run.victims["undefended"], dataset, dense, folder, stop)
    train_victim(run.config, run.victims["undefended"], dataset, dense, folder, ignore)
    assert {name: (folder / name).read_bytes() for name in finished} == finished
