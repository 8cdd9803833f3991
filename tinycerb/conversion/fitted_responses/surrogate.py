"""A surrogate of the thief's student, which some responses are made with when the victim is converted."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tinycerb.config import Config
from tinycerb.conversion.fitted_responses.redirection_network import distil_surrogate
from tinycerb.datasets.images import Dataset
from tinycerb.defenses import defense_of
from tinycerb.events import Report
from tinycerb.keras_models.legacy import keras
from tinycerb.training.artefacts import FLOAT_MODEL, load_float_model
from tinycerb.training.model_source import build_model, compare_model
from tinycerb.training.objective import LogitPredictor
from tinycerb.training.setup import make_repeatable


def surrogate_of(
    config: Config,
    victim_name: str,
    dataset: Dataset,
    folder: Path,
    images: np.ndarray,
    epochs: int,
    seed: int,
    report: Report,
) -> tuple[keras.Model, np.ndarray, keras.Model]:
    """Distils a network of the victim's kind, with one head, from the trained victim's clean posteriors.

    Args:
        config: the run's configuration.
        victim_name: one of its victims.
        dataset: the victim's data.
        folder: the trained victim's.
        images: uint8 [N, height, width, channels], what a thief may ask.
        epochs: few: an early surrogate is what a thief's student is like while it learns most.
        seed: of the surrogate's weights.
        report: takes progress events.

    Returns:
        The surrogate, images to logits; the clean posteriors of the mean of the victim's logits over its heads, float32
        [N, classes]; and the clean victim.
    """
    clean = load_float_model(folder / FLOAT_MODEL)
    posteriors: Any = tf.nn.softmax(LogitPredictor(clean)(images).mean(axis=1))
    compare_model(config)
    make_repeatable(seed)
    surrogate = build_model(config, defense_of(config.victim(victim_name)), dataset, heads=1)
    distil_surrogate(surrogate, images, posteriors.numpy(), epochs, config.seed, report)
    return surrogate, posteriors.numpy(), clean
