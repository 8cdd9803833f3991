"""An undefended network like the victim's: what some defences steer away from, or take for the attacker's student."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.datasets.images import Dataset
from tinycerb.defenses.base import no_terms
from tinycerb.events import OnProgress, Progress
from tinycerb.file_names import REFERENCE, REFERENCE_POSTERIORS
from tinycerb.seal.files import is_made, read_arrays, write_arrays

if TYPE_CHECKING:
    from tinycerb.keras_models.legacy import keras
    from tinycerb.training.augmentation import Augmentation

_BATCH_SIZE, _LEARNING_RATE = 128, 2e-3


@dataclass(frozen=True)
class ReferenceClassifier:
    """A one-headed network that is trained on the task when it is first asked for.

    Attributes:
        dataset: the victim's data.
        other_images: uint8 [M, height, width, channels], out-of-distribution.
        seed: the run's seed.
        folder: where the network and its posteriors are kept.
        build: makes a fresh, untrained network like the victim's with so many heads.
        on_progress: takes progress events.
        epochs: how long it is trained, with Adam.
        augmentation: what happens to its training images.
    """

    dataset: Dataset
    other_images: np.ndarray
    seed: int
    folder: Path
    build: Callable[[int], keras.Model]
    on_progress: OnProgress
    epochs: int = 3
    augmentation: Sequence[Augmentation] = ()

    def model(self) -> keras.Model:
        """Returns the network; trained once, then loaded."""
        from tinycerb.compression.pruner import NothingPruned
        from tinycerb.training.artefacts import load_float_model, save_model
        from tinycerb.training.batches import Batches
        from tinycerb.training.objective import TrainingStep
        from tinycerb.training.recipe import Recipe

        path = self.folder / REFERENCE
        if is_made(path):
            return load_float_model(path)
        model = self.build(1)
        data = self.dataset.train
        nothing, recipe = np.zeros((0, *data.images.shape[1:]), np.uint8), Recipe(augmentation=self.augmentation)
        step = TrainingStep(model, no_terms, data, nothing, NothingPruned(), recipe=recipe)
        batches = Batches(len(data.images), _BATCH_SIZE, 0, 0, self.seed)
        steps = self.epochs * batches.steps
        for epoch in range(self.epochs):
            for index, (indices, other) in enumerate(batches.epoch("reference", epoch)):
                done = epoch * batches.steps + index
                rate = _LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * done / steps))
                step(indices, other, rate, 0.0, batches.draw("reference", epoch, index))
                if done % 100 == 0:
                    self.on_progress(Progress(done, steps, f"reference classifier, epoch {epoch + 1}/{self.epochs}"))
        save_model(model, path)
        return model

    def posteriors(self) -> np.ndarray:
        """Returns its posteriors on the out-of-distribution images, float32 [M, classes]."""
        from tinycerb.training.objective import LogitPredictor

        path = self.folder / REFERENCE_POSTERIORS
        if not is_made(path):
            logits = LogitPredictor(self.model())(self.other_images)[:, 0].astype(np.float64)
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            posteriors = exponentials / exponentials.sum(axis=1, keepdims=True)
            write_arrays(path, {"posteriors": posteriors.astype(np.float32)})
        return read_arrays(path)["posteriors"]
