"""A run whose checkpoint is gone: trained anew to the same bytes, or told which one is missing and what to do."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinycerb.compression.quantization import open_quantization_aware
from tinycerb.config.loading import load_config
from tinycerb.datasets import load_dataset
from tinycerb.errors import EnvironmentProblem
from tinycerb.events import OnProgress, Progress, ignore
from tinycerb.file_names import CHECKPOINT, DENSE, FLOAT_MODEL, HISTORY, QUANTIZATION_AWARE_MODEL
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import is_done
from tinycerb.jobs.task import Task
from tinycerb.keras_models.legacy import keras
from tinycerb.run.directory import RunDirectory
from tinycerb.run.victim import victims_of
from tinycerb.seal.files import write_json
from tinycerb.training.artefacts import load_float_model
from tinycerb.training.checkpoint import Checkpoint
from tinycerb.training.objective import LogitPredictor
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


RECIPE = (
    "model.backbone=user", "model.source=tests.training.tiny_network:build", "data.name=user",
    "data.validation_images=40", "data.train_images=0", "data.test_images=0", "training.batch_size=32",
    "training.recovery_epochs=3", "training.quantization_epochs=2", "attacks=[]",
    "training.optimizer='sgd,momentum=0.8'", "training.augmentation=shift,pixels=2+cutout,size=3",
    "training.average_decay=0.9", "training.best_epoch=true", "training.label_smoothing=0.1",
)  # fmt: skip


def test_a_recipe_with_everything_goes_on_as_if_nothing_had_happened(tmp_path) -> None:
    """Augmentation, the average of weights and the best epoch so far are those of a training that was not stopped."""
    rng = np.random.default_rng(2)
    images, labels = rng.integers(0, 256, (220, 12, 12, 1), dtype=np.uint8), np.arange(220) % 3
    np.savez(tmp_path / "drawn.npz", images=images, labels=labels)
    config = load_config("smoke", [*RECIPE, f"data.source={tmp_path / 'drawn.npz'}"])
    config = replace(config, victims=config.victims[:1])
    dataset, (victim,) = load_dataset(config.data), victims_of(config).values()
    weights = []
    for name, stops in (("once", ()), ("twice", ("recover epoch 2/3", "quantize epoch 1/2"))):
        keras.backend.clear_session()
        dense, folder = tmp_path / name / "dense", tmp_path / name / "victim"
        train_dense(config, victim, dataset, dense, ignore)
        for epoch in stops:
            with pytest.raises(_Stopped):
                train_victim(config, victim, dataset, dense, folder, _stop_after(epoch))
            keras.backend.clear_session()
        train_victim(config, victim, dataset, dense, folder, ignore)
        state = Checkpoint.load(folder / CHECKPOINT)
        assert state is not None
        weights.append((load_float_model(folder / FLOAT_MODEL).get_weights(), state))
    (one, first), (two, second) = weights
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert first.history == second.history
    for part in ("weights", "average", "best"):
        assert all((a == b).all() for a, b in zip(getattr(first, part), getattr(second, part), strict=True))
    rows = [row["validation_accuracy"] for row in first.history if row["stage"] == "quantize"]
    kept = open_quantization_aware(tmp_path / "once" / "victim" / QUANTIZATION_AWARE_MODEL)
    logits = LogitPredictor(kept)(dataset.validation.images)[:, 0]
    assert (logits.argmax(axis=1) == dataset.validation.labels).mean() == pytest.approx(max(rows))
