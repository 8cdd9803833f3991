"""How much each channel of a group matters."""

from typing import Any

import numpy as np

from keras_models.legacy import keras, named_layer
from tinycerb.compression.groups import ChannelGroup


def weight_and_scale(model: keras.Model, group: ChannelGroup) -> np.ndarray:
    """Scores channels by the L2 norm of their filters times the scale of the batch norm behind them.

    Each producer's scores are normalised to length 1 before they are added, so that no layer of a residual
    stream outvotes the others by the size of its weights.

    Args:
        model: the model.
        group: one of its channel groups.

    Returns:
        float64 [channels], larger is more important.
    """
    total = np.zeros(group.channels)
    for name in group.producers:
        kernel = named_layer(model, name).kernel.numpy()
        scores = np.sqrt(np.square(kernel, dtype=np.float64).sum(axis=(0, 1, 2)))
        scores = scores * np.abs(_norm_scale(model, name))
        total += scores / (np.linalg.norm(scores) + 1e-12)
    return total


def _norm_scale(model: keras.Model, name: str) -> np.ndarray | float:
    """The scale of the batch normalisation that directly follows a layer, or 1 without one."""
    followers: list[Any] = [node.layer for node in named_layer(model, name).outbound_nodes]
    for layer in followers:
        if isinstance(layer, keras.layers.BatchNormalization) and layer.scale:
            return np.asarray(layer.gamma)
    return 1.0
