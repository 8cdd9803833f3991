"""A tiny task for defences."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tinycerb.datasets.images import Dataset, LabelledImages
from tinycerb.datasets.procedural import generate
from tinycerb.defenses.base import Batch, TrainingContext
from tinycerb.events import ignore
from tinycerb.keras_models.legacy import keras
from tinycerb.training.reference_classifier import ReferenceClassifier

SHAPE, CLASSES = (12, 12, 1), 4


def small_network(heads: int) -> keras.Model:
    """Two layers, as many heads as wanted."""
    image = keras.layers.Input(SHAPE)
    hidden = keras.layers.Dense(16, activation="tanh")(keras.layers.Flatten()(image))
    outputs = [keras.layers.Dense(CLASSES, name=f"head_{index}")(hidden) for index in range(heads)]
    return keras.Model(image, outputs if heads > 1 else outputs[0])


@pytest.fixture
def context(tmp_path: Path) -> TrainingContext:
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    labels = rng.integers(0, CLASSES, 1024).astype(np.int32)
    images = rng.integers(0, 60, (1024, *SHAPE), dtype=np.uint8)
    # The class is where the bright row is.
    images[np.arange(1024), labels * 3] = 250
    part = LabelledImages(images, labels)
    dataset = Dataset("tiny", "drawn", tuple("abcd"), part, part, part)
    other = generate(["strokes", "spectral_noise"], 200, images, 1)
    reference = ReferenceClassifier(dataset, other, 1, tmp_path, small_network, ignore)
    return TrainingContext("dense", dataset, other, 1, tmp_path, small_network, reference, None, ignore)


def make_batch(context: TrainingContext, logits: list[tf.Tensor], other_logits: list[tf.Tensor]) -> Batch:
    """The first images of the context with given logits."""
    count, others = logits[0].shape[0] or 0, other_logits[0].shape[0] or 0
    train = context.dataset.train
    return Batch(
        images=tf.constant(train.images[:count], tf.float32) / 255,
        labels=tf.constant(train.labels[:count]),
        logits=logits,
        other_images=tf.constant(context.other_images[:others], tf.float32) / 255,
        other_indices=tf.range(others),
        other_logits=other_logits,
    )
