"""The epoch loop of one stage: steps, validation, history, and a checkpoint after every epoch."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_models.legacy import keras
from tinycerb.compression.masks import ChannelMasks
from tinycerb.datasets.images import LabelledImages
from tinycerb.events import Progress, Report
from tinycerb.training.batches import Batches
from tinycerb.training.checkpoint import Checkpoint
from tinycerb.training.objective import LogitPredictor, TrainingStep

_NOTE_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Stage:
    """A stretch of training with one model.

    Attributes:
        name: seeds the batches and names history rows.
        epochs: how many epochs.
        epochs_before: epochs of the stages before it.
        epochs_in_all: epochs of all stages, for progress.
        peak_learning_rate: start of a cosine that ends at 0.
        curve: first and last epoch of that cosine, counted like `epochs_before`; stages may share one.
    """

    name: str
    epochs: int
    epochs_before: int
    epochs_in_all: int
    peak_learning_rate: float
    curve: tuple[int, int]

    def learning_rate(self, epoch: float) -> float:
        """Returns the learning rate at a point of the whole training."""
        first, last = self.curve
        return self.peak_learning_rate * 0.5 * (1 + math.cos(math.pi * (epoch - first) / (last - first)))


@dataclass(frozen=True)
class EpochLoop:
    """What all stages of one training share.

    Attributes:
        batches: which images each step sees.
        defense_weight: weight of the defence's term by epochs since the start of training.
        validation: held-out images for the history.
        checkpoint_path: where the state goes after each epoch.
        history: one row per finished epoch of all stages; grows in place.
        on_epoch: called with the history after each epoch.
        report: takes progress events.
    """

    batches: Batches
    defense_weight: Callable[[float], float]
    validation: LabelledImages
    checkpoint_path: Path
    history: list[dict[str, Any]]
    on_epoch: Callable[[list[dict[str, Any]]], None]
    report: Report

    def run(
        self,
        stage: Stage,
        model: keras.Model,
        step: TrainingStep,
        masks: ChannelMasks,
        prune: bool,
        checkpoint: Checkpoint | None,
    ) -> None:
        """Trains `model` in place through one stage.

        Args:
            stage: what to do.
            model: the model that `step` trains.
            step: the compiled training step.
            masks: the channel masks; kept in every checkpoint, so that a resumed run cuts the same channels.
            prune: whether this stage moves the masks.
            checkpoint: a state of this very stage to go on from, or None.
        """
        first_epoch = 0
        if checkpoint is not None:
            _restore(checkpoint, model, step)
            first_epoch = checkpoint.epochs_done
        predict = LogitPredictor(model)
        steps = self.batches.steps
        for epoch in range(first_epoch, stage.epochs):
            means = self._run_epoch(stage, epoch, step, masks if prune else None)
            self.history.append(
                _history_row(stage, epoch, means, predict(self.validation.images), self.validation, masks)
            )
            state = Checkpoint(
                stage=stage.name,
                epochs_done=epoch + 1,
                weights=model.get_weights(),
                optimizer=[variable.numpy() for variable in step.optimizer.variables],
                kept=masks.kept(),
                history=self.history,
            )
            # The history first: after a kill between the two the epoch is run again and writes the same row.
            self.on_epoch(self.history)
            state.save(self.checkpoint_path)
            accuracy = self.history[-1]["validation_accuracy"]
            note = f"{stage.name} epoch {epoch + 1}/{stage.epochs}, validation {accuracy:.1%}"
            self.report(Progress((stage.epochs_before + epoch + 1) * steps, stage.epochs_in_all * steps, note))

    def _run_epoch(self, stage: Stage, epoch: int, step: TrainingStep, masks: ChannelMasks | None) -> np.ndarray:
        """Takes all steps of one epoch; returns the means of the task loss and of the defence's term."""
        steps = self.batches.steps
        sums = np.zeros(2)
        last_note = time.monotonic()
        for index, (indices, other) in enumerate(self.batches.epoch(stage.name, epoch)):
            position = epoch * steps + index
            now = stage.epochs_before + position / steps
            sums += step(indices, other, stage.learning_rate(now), self.defense_weight(now))
            if masks is not None:
                masks.update(position + 1)
            if time.monotonic() - last_note > _NOTE_EVERY_SECONDS:
                last_note = time.monotonic()
                done = stage.epochs_before * steps + position + 1
                note = f"{stage.name} epoch {epoch + 1}/{stage.epochs}, loss {sums[0] / (index + 1):.3f}"
                self.report(Progress(done, stage.epochs_in_all * steps, note))
        return sums / steps


def _restore(checkpoint: Checkpoint, model: keras.Model, step: TrainingStep) -> None:
    model.set_weights(checkpoint.weights)
    for variable, value in zip(step.optimizer.variables, checkpoint.optimizer, strict=True):
        variable.assign(value)


def _history_row(
    stage: Stage,
    epoch: int,
    means: np.ndarray,
    logits: np.ndarray,
    validation: LabelledImages,
    masks: ChannelMasks,
) -> dict[str, Any]:
    correct = logits.argmax(axis=2) == validation.labels[:, np.newaxis]
    kept = [float(keep.mean()) for keep in masks.kept()]
    return {
        "stage": stage.name,
        "epoch": stage.epochs_before + epoch + 1,
        "cross_entropy": float(means[0]),
        "defense_loss": float(means[1]),
        "validation_accuracy": float(correct.mean()),
        "validation_accuracy_worst_head": float(correct.mean(axis=0).min()),
        "channels_kept_share": float(np.mean(kept)) if kept else 1.0,
    }
