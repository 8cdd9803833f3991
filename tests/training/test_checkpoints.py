"""A run whose checkpoint is gone says which one, and what to do."""

import shutil
from pathlib import Path

import pytest

from tinycerb.datasets import load_dataset
from tinycerb.errors import EnvironmentProblem
from tinycerb.events import ignore
from tinycerb.run_dir import RunDirectory
from tinycerb.training.artefacts import CHECKPOINT, DENSE, FLOAT_MODEL
from tinycerb.training.victim import train_victim


def test_a_checkpoint_that_is_gone_is_named(smoke_run, tmp_path) -> None:
    run = RunDirectory.open(Path(shutil.copytree(smoke_run.path, tmp_path / "run")))
    folder, dense = run.victim("undefended"), run.dense("undefended")
    made_after = dense / DENSE
    gone = made_after.with_name(CHECKPOINT)
    gone.unlink()
    (folder / FLOAT_MODEL).unlink()
    with pytest.raises(EnvironmentProblem) as caught:
        train_victim(run.config, "undefended", load_dataset(run.config.data), dense, folder, ignore)
    assert f"the checkpoint {gone} is missing" in str(caught.value)
    assert f"delete {made_after} to train it anew" in str(caught.value)
