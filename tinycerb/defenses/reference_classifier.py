"""An undefended network like the victim's: what some defences steer away from, or take for the attacker's student."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.defenses.base import Setting, no_terms
from tinycerb.events import Progress
from tinycerb.seal.files import is_made, read_arrays, write_arrays

if TYPE_CHECKING:
    from keras_models.legacy import keras

REFERENCE = "reference.h5"
POSTERIORS = "reference_posteriors.npz"
_EPOCHS, _BATCH_SIZE, _LEARNING_RATE = 3, 128, 2e-3


def reference_classifier(setting: Setting) -> keras.Model:
    """Returns a one-headed network trained on the task for three epochs; trained once, then loaded."""
    from tinycerb.compression.pruner import NothingPruned
    from tinycerb.training.artefacts import load_float_model, save_model
    from tinycerb.training.batches import Batches
    from tinycerb.training.objective import TrainingStep

    path = setting.folder / REFERENCE
    if is_made(path):
        return load_float_model(path)
    model = setting.build(1)
    data = setting.dataset.train
    step = TrainingStep(model, no_terms, data, np.zeros((0, *data.images.shape[1:]), np.uint8), NothingPruned())
    batches = Batches(len(data.images), _BATCH_SIZE, 0, 0, setting.seed)
    steps = _EPOCHS * batches.steps
    for epoch in range(_EPOCHS):
        for index, (indices, other) in enumerate(batches.epoch("reference", epoch)):
            done = epoch * batches.steps + index
            step(indices, other, _LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * done / steps)), 0.0)
            if done % 100 == 0:
                setting.report(Progress(done, steps, f"reference classifier, epoch {epoch + 1}/{_EPOCHS}"))
    save_model(model, path)
    return model


def reference_posteriors(setting: Setting) -> np.ndarray:
    """Returns its posteriors on the out-of-distribution images, float32 [M, classes]."""
    from tinycerb.training.objective import LogitPredictor

    path = setting.folder / POSTERIORS
    if not is_made(path):
        logits = LogitPredictor(reference_classifier(setting))(setting.other_images)[:, 0].astype(np.float64)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        posteriors = exponentials / exponentials.sum(axis=1, keepdims=True)
        write_arrays(path, {"posteriors": posteriors.astype(np.float32)})
    return read_arrays(path)["posteriors"]
