"""The epoch loop of one stage: steps, validation, history, and a checkpoint after every epoch."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.compression.pruner import Pruner
from tinycerb.datasets.images import LabelledImages
from tinycerb.events import OnProgress, Progress
from tinycerb.file_names import EPOCH_TIMES
from tinycerb.keras_models.legacy import keras
from tinycerb.seal.files import is_made, read_text, write_text
from tinycerb.training.batches import Batches
from tinycerb.training.checkpoint import Checkpoint
from tinycerb.training.objective import LogitPredictor, TrainingStep
from tinycerb.training.stages import Stage

_NOTE_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class EpochLoop:
    """What all stages of one training share.

    Attributes:
        batches: which images each step sees.
        defense_weight: weight of the defence's term by epochs since the start of training.
        heads: how many heads, from the first, tell the classes apart.
        validation: held-out images for the history.
        checkpoint_path: where the state goes after each epoch.
        history: one row per finished epoch of all stages; grows in place.
        on_epoch: called with the history after each epoch.
        on_progress: takes progress events.
        best_epoch: whether a stage that ends in a model keeps the epoch with the best validation accuracy.
    """

    batches: Batches
    defense_weight: Callable[[float], float]
    heads: int
    validation: LabelledImages
    checkpoint_path: Path
    history: list[dict[str, object]]
    on_epoch: Callable[[list[dict[str, object]]], None]
    on_progress: OnProgress
    best_epoch: bool = False

    def run(
        self, stage: Stage, model: keras.Model, step: TrainingStep, pruner: Pruner, checkpoint: Checkpoint | None
    ) -> Checkpoint:
        """Trains `model` in place through one stage.

        A stage that ends in a model leaves the average of its weights in it, or those of its best epoch, if that is
        asked for; the state keeps the weights as the optimizer has left them.

        Args:
            stage: what to do.
            model: the model that `step` trains.
            step: the compiled training step.
            pruner: moves with the steps; its state is in every checkpoint.
            checkpoint: a state of this stage to go on from, or None to start with a fresh optimizer.

        Returns:
            The state after the last epoch.
        """
        if checkpoint is not None:
            _restore(checkpoint, model, step)
            pruner.restore(checkpoint.pruner)
        state = checkpoint or self._state(stage, 0, model, step, pruner, [])
        predict = LogitPredictor(model)
        steps = self.batches.steps
        for epoch in range(state.epochs_done, stage.epochs):
            started = time.process_time()
            means = self._run_epoch(stage, epoch, step, pruner)
            best = state.best
            with step.average.in_the_model() if step.average else nullcontext():
                logits = predict(self.validation.images)[:, : self.heads]
                self.history.append(_history_row(stage, epoch, means, logits, self.validation, pruner.kept_share()))
                if self.best_epoch and stage.ends_in_a_model and _is_best(self.history):
                    best = model.get_weights()
            state = self._state(stage, epoch + 1, model, step, pruner, best)
            # The history first: after a kill between the two the epoch is run again and writes the same row.
            self.on_epoch(self.history)
            state.save(self.checkpoint_path)
            # Beside the history, which must not depend on how fast the machine is.
            times = self.checkpoint_path.parent / EPOCH_TIMES
            row = f"{stage.name},{stage.epochs_before + epoch + 1},{time.process_time() - started:.2f}\n"
            write_text(times, (read_text(times) if is_made(times) else "") + row)
            accuracy = self.history[-1]["validation_accuracy"]
            note = f"{stage.name} epoch {epoch + 1}/{stage.epochs}, validation {accuracy:.1%}"
            self.on_progress(Progress((stage.epochs_before + epoch + 1) * steps, stage.epochs_in_all * steps, note))
        if state.best:
            model.set_weights(state.best)
        elif step.average:
            step.average.hand_over()
        return state

    def _state(
        self,
        stage: Stage,
        epochs: int,
        model: keras.Model,
        step: TrainingStep,
        pruner: Pruner,
        best: list[np.ndarray],
    ) -> Checkpoint:
        return Checkpoint(
            stage=stage.name,
            epochs_done=epochs,
            weights=model.get_weights(),
            optimizer=[variable.numpy() for variable in step.optimizer.variables],
            pruner=pruner.state(),
            history=list(self.history),
            average=step.average.state() if step.average else [],
            best=best,
        )

    def _run_epoch(self, stage: Stage, epoch: int, step: TrainingStep, pruner: Pruner) -> np.ndarray:
        """Takes all steps of one epoch; returns the means of the task loss and of the defence's term."""
        steps = self.batches.steps
        sums = np.zeros(2)
        last_note = time.monotonic()
        order_epoch = stage.epochs_before + epoch - stage.order_from
        for index, (indices, other) in enumerate(self.batches.epoch(stage.order, order_epoch)):
            position = epoch * steps + index
            now = stage.epochs_before + position / steps
            draw = self.batches.draw(stage.order, order_epoch, index)
            sums += step(indices, other, stage.learning_rate(now), self.defense_weight(now), draw)
            done = stage.epochs_before * steps + position + 1
            pruner.update(done)
            if time.monotonic() - last_note > _NOTE_EVERY_SECONDS:
                last_note = time.monotonic()
                note = f"{stage.name} epoch {epoch + 1}/{stage.epochs}, loss {sums[0] / (index + 1):.3f}"
                self.on_progress(Progress(done, stage.epochs_in_all * steps, note))
        return sums / steps


def _restore(checkpoint: Checkpoint, model: keras.Model, step: TrainingStep) -> None:
    model.set_weights(checkpoint.weights)
    for variable, value in zip(step.optimizer.variables, checkpoint.optimizer, strict=True):
        variable.assign(value)
    if step.average:
        step.average.restore(checkpoint.average)


def _is_best(history: list[dict[str, object]]) -> bool:
    """Whether no earlier epoch of the last row's stage has a better validation accuracy."""
    last = history[-1]
    return all(
        row["validation_accuracy"] <= last["validation_accuracy"]  # type: ignore[operator]
        for row in history
        if row["stage"] == last["stage"]
    )


def _history_row(
    stage: Stage, epoch: int, means: np.ndarray, logits: np.ndarray, validation: LabelledImages, kept_share: float
) -> dict[str, object]:
    correct = logits.argmax(axis=2) == validation.labels[:, np.newaxis]
    return {
        "stage": stage.name,
        "epoch": stage.epochs_before + epoch + 1,
        "cross_entropy": float(means[0]),
        "defense_loss": float(means[1]),
        "validation_accuracy": float(correct.mean()),
        "validation_accuracy_worst_head": float(correct.mean(axis=0).min()),
        "kept_share": kept_share,
    }
