"""Criteria against what they claim to measure."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.compression.pruned import L, functional
from tinycerb.compression.importance import CRITERIA, Criterion, Filters, importance, penalizes_scales
from tinycerb.compression.masks import ChannelMasks
from tinycerb.compression.producers import find_producer
from tinycerb.config import PruningConfig, VictimConfig, load_config
from tinycerb.keras_models.legacy import keras, named_layer


def network() -> keras.Model:
    def build(x):
        x = L.ReLU()(L.BatchNormalization(name="stem_norm")(L.Conv2D(8, 3, padding="same", name="stem")(x)))
        return L.ReLU()(L.Conv2D(8, 3, padding="same", name="bare")(x))

    return functional(build)


def loss_of(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> tf.Tensor:
    losses = [tf.nn.sparse_softmax_cross_entropy_with_logits(labels, head) for head in model(images, training=False)]
    return tf.reduce_mean(tf.stack(losses))


@pytest.mark.parametrize("name", ["stem", "bare"])
def test_salience_is_the_squared_slope_of_the_loss_along_the_channel(name: str) -> None:
    """The derivative of the loss by a common factor on everything that makes the channel, by finite differences."""
    model = network()
    rng = np.random.default_rng(0)
    images, labels = rng.random((16, 8, 8, 3), np.float32), rng.integers(0, 3, 16)
    masks = ChannelMasks(model, 0.5, 1, 2, criterion="taylor")
    with tf.GradientTape() as tape:
        loss = loss_of(model, images, labels)
    variables = model.trainable_variables
    gradients: list[Any] = tape.gradient(loss, variables)
    masks.observe(variables, gradients)
    index = next(i for i, group in enumerate(masks.groups) if group.producers == (name,))
    salience = masks.state()[len(masks.groups) + index]
    for channel in range(8):
        slopes = []
        for factor in (1.02, 0.98):
            gate = find_producer(model, name).gate
            before = [variable.numpy() for variable in gate]
            for variable in gate:
                scales = np.ones(8, np.float32)
                scales[channel] = factor
                variable.assign(variable * scales)
            slopes.append(float(loss_of(model, images, labels)))
            for variable, value in zip(gate, before, strict=True):
                variable.assign(value)
        slope = (slopes[0] - slopes[1]) / 0.04
        assert salience[channel] == pytest.approx(slope**2, rel=0.1, abs=2e-7)


def test_observation_ends_with_the_look() -> None:
    masks = ChannelMasks(network(), 0.5, 1, 2, criterion="taylor")
    masks.restore([np.ones_like(value) for value in masks.state()])
    masks.update(2)
    assert all((value == 0).all() for value in masks.state()[len(masks.groups) :])


def test_state_comes_back() -> None:
    first, second = (ChannelMasks(network(), 0.5, 1, 2, criterion="taylor") for _ in range(2))
    first.restore([np.full_like(value, 0.25) for value in first.state()])
    second.restore(first.state())
    assert all(np.array_equal(a, b) for a, b in zip(first.state(), second.state(), strict=True))


def test_no_producer_outvotes_the_others() -> None:
    criterion = Criterion(lambda filters: filters.kernel)
    small = Filters(np.array([3.0, 0.0]), None, np.zeros(2))
    large = Filters(np.array([0.0, 4000.0]), None, np.zeros(2))
    assert np.allclose(importance([small, large], criterion), [1.0, 1.0])


def test_only_network_slimming_presses_on_scales() -> None:
    config = load_config("smoke")
    pruned, whole = VictimConfig("a", channel_ratio=0.5), VictimConfig("b")
    for name in CRITERIA:
        chosen = replace(config, pruning=PruningConfig(criterion=name))
        assert penalizes_scales(chosen, pruned) == (name == "norm_scale")
        assert not penalizes_scales(chosen, whole)


def test_the_penalty_shrinks_scales() -> None:
    from tinycerb.compression.pruner import NothingPruned
    from tinycerb.datasets.images import LabelledImages
    from tinycerb.defenses.base import no_terms
    from tinycerb.training.objective import ScalePenalty, TrainingStep

    rng = np.random.default_rng(0)
    data = LabelledImages(rng.integers(0, 256, (32, 8, 8, 3), dtype=np.uint8), rng.integers(0, 3, 32).astype(np.int32))
    indices, none = np.arange(32, dtype=np.int32), np.zeros(0, np.int32)
    sums = []
    for weight in (0.0, 1.0):
        model = network()
        scale = named_layer(model, "stem_norm").gamma
        step = TrainingStep(model, no_terms, data, data.images[:0], NothingPruned(), ScalePenalty(weight, [scale]))
        for _ in range(5):
            step(indices, none, 1e-2, 0.0)
        sums.append(float(np.abs(scale.numpy()).sum()))
    assert sums[1] < sums[0] - 0.1
